// Lowest layer first; see docs/messaging.md.
export * from './message/index.js';

export { afterCommit } from './runtime/after-commit.js';
export { type Backoff, pauseAfter } from './runtime/backoff.js';
export { BackgroundTask, type BackgroundTaskOptions, type Turn } from './runtime/background-task.js';
export { Batcher, type BatcherOptions } from './runtime/batcher.js';
export { BoundedMap } from './runtime/bounded-map.js';
export { describeError } from './runtime/describe-error.js';
export { DependencyUnavailable, isInfrastructureError } from './runtime/infrastructure-error.js';
export { Lease } from './runtime/lease.js';
export { Listener, type ListeningClient } from './runtime/listener.js';
export { guardConnections } from './runtime/guard-connections.js';
export { PacedTask, type PacedTaskOptions } from './runtime/paced-task.js';
export { rankByRendezvous } from './runtime/rendezvous.js';
export { retryUntil, type RetryUntilOptions } from './runtime/retry-until.js';
export { untilNext } from './runtime/until-next.js';
export { Wakeup } from './runtime/wakeup.js';
export { type BoundedClient, limitSession, type SessionLimits } from './runtime/session-limits.js';
export { codeOf } from './runtime/sql-state.js';
export { restAfter } from './runtime/yielding.js';

export { DEFAULT_RETRY, type RetryPolicy } from './parking/retry-policy.js';

export { PartitionDelivery, type ReadPosition } from './transport/partition-delivery.js';
export {
  type Batch,
  type BatchHandler,
  type LostRange,
  MessageTooLarge,
  type PartitionLag,
  type SubscribeOptions,
  type TopicSpec,
  type Transport,
  type TransportCapabilities,
  type TransportSubscription,
  UnknownTopic,
} from './transport/transport.js';

export {
  Outbox,
  type OutboxLimits,
  type PublishOptions,
  PublishOutsideTransaction,
  TooManyEvents,
} from './publisher/outbox.js';
export { DEFAULT_RELAY_LIMITS, Relay, type RelayLimits } from './publisher/relay.js';
export { sentChannel, type SentSignal } from './publisher/signals.js';
export { type Scheduled, Timers } from './publisher/timers.js';

export { type OutsideAnswer, postOutside } from './flow/post-outside.js';
export { type CircuitOptions, Dependency, requireSuccess } from './flow/dependency.js';
export {
  DEFAULT_REQUEST_QUEUE_LIMITS,
  NoReply,
  RequestQueue,
  RequestQueueFull,
  type RequestQueueLimits,
} from './flow/request-queue.js';
export { adaptRate, type RateBounds, type RateSignals } from './flow/adaptive-rate.js';
export {
  type Bucket,
  type BucketSpec,
  changeBucket,
  grantTokens,
  heldTokens,
  issueTokens,
  newBucket,
  type TokenAsk,
  type TokenGrant,
} from './flow/token-bucket.js';
export { TokenBlock } from './flow/token-block.js';
export {
  Admission,
  type AdmissionLimits,
  AdmissionUnavailable,
  type BucketNews,
  MAX_ASKS,
  TooManyRequests,
  type TokenSource,
} from './flow/admission.js';
export { type BucketView, TokenBuckets } from './flow/token-buckets.js';

export { claimQueue, QueueReplaced } from './consumer/claim-queue.js';
export { Consumer } from './consumer/consumer.js';
export type { ConsumerLimits } from './consumer/settlement.js';
export { ReceiptPurge } from './consumer/receipt-purge.js';
export { Retrier, type RetrierLimits } from './consumer/retrier.js';
export {
  claimedChannel,
  failedChannel,
  type FailedSignal,
  handledChannel,
  settledChannel,
  type SettledSignal,
  type StepSignal,
} from './consumer/signals.js';
export {
  type AlertPolicy,
  DEFAULT_ALERTS,
  type Delivery,
  type Route,
  type Subscription,
  topicsOf,
} from './consumer/subscription.js';

export type { WatchedState } from './operations/alert-policy.js';
export { AlertWatch } from './operations/alert-watch.js';
export type { AlertWebhookOptions } from './operations/alert-webhook.js';
export { DeadLetters, LetterNotReplayable } from './operations/dead-letters.js';
export { MessagingMonitor } from './operations/messaging-monitor.js';
export {
  Alert,
  DeadLetter,
  DeadLetterFilter,
  OperatorAction,
  QueueState,
  SubscriptionState,
} from './operations/states.js';

export {
  Admit,
  AdmissionGuard,
  AdmissionInterceptor,
  type AdmitOptions,
  admitTemplates,
} from './nest/admit.js';
export { Handle, type HandleOptions } from './nest/handle.js';
export { MessageContext } from './nest/message-context.js';
export { MessagingClient, TooManyWaiting } from './nest/messaging-client.js';
export {
  type ForRootAsyncOptions,
  type ForRootOptions,
  type ForServiceOptions,
  MessagingModule,
} from './nest/messaging.module.js';
export { FETCH, MessagingServer } from './nest/messaging-server.js';
export { MESSAGE_TRANSPORT, MESSAGING_ALERTS, MESSAGING_INSTANCE } from './nest/options.js';

export { messagingMigrations } from './migration/messaging-migrations.js';
export { migrateMessaging } from './migration/migrate-messaging.js';
