export * from './message/index.js';
export { type Delivery, type Route, type Subscription, topicsOf } from './consumer/subscription.js';
export { claimQueue, QueueReplaced } from './consumer/claim-queue.js';
export { Consumer } from './consumer/consumer.js';
export { DependencyUnavailable, isInfrastructureError } from './consumer/infrastructure-error.js';
export {
  claimedChannel,
  failedChannel,
  type FailedSignal,
  handledChannel,
  settledChannel,
  type SettledSignal,
  type StepSignal,
} from './consumer/signals.js';
export { MessagingMonitor } from './control/messaging-monitor.js';
export {
  type Alert,
  type DeadLetter,
  DeadLetterFilter,
  decideOnDeadLetters,
  discardDeadLetter,
  getDeadLetter,
  getQueueState,
  listAlerts,
  listDeadLetters,
  listOperatorActions,
  type OperatorAction,
  pauseSubscription,
  type QueueState,
  replayDeadLetter,
  resumeSubscription,
  type SubscriptionState,
} from './control/requests.js';
export { type AlertPolicy, DEFAULT_ALERTS, type WatchedState } from './control/alert-policy.js';
export type { AlertWebhookOptions } from './control/alert-webhook.js';
export { ReceiptPurge } from './inbox/receipt-purge.js';
export { DeadLetters, LetterNotReplayable } from './dead-letter/dead-letters.js';
export { Lease } from './lease/lease.js';
export { messagingMigrations } from './migration/messaging-tables.js';
export { Handle, type HandleOptions, HandleRequest } from './nest/handle.js';
export { MessageContext } from './nest/message-context.js';
export { MessagingClient, TooManyWaiting } from './nest/messaging-client.js';
export { type ForServiceOptions, MessagingModule } from './nest/messaging.module.js';
export { MessagingServer } from './nest/messaging-server.js';
export { MESSAGE_TRANSPORT, MESSAGING_ALERTS, MESSAGING_INSTANCE, MESSAGING_LIMITS } from './nest/options.js';
export { type AskOptions, RequestClient, RequestRefused, ServiceUnavailable } from './nest/request-client.js';
export {
  Outbox,
  type OutboxLimits,
  type PublishOptions,
  PublishOutsideTransaction,
  TooManyEvents,
} from './outbox/outbox.js';
export { DEFAULT_RETRY, pauseAfter, type RetryPolicy } from './retry/policy.js';
export { Retrier, type RetrierLimits } from './retry/retrier.js';
export { Relay, type RelayLimits } from './relay/relay.js';
export { sentChannel, type SentSignal } from './relay/signals.js';
export { type CircuitOptions, Dependency, requireSuccess } from './flow/dependency.js';
export { Wakeup } from './flow/wakeup.js';
export { restAfter } from './flow/yielding.js';
export { type Scheduled, Timers } from './timer/timers.js';
export { PartitionDelivery, type ReadPosition } from './transport/partition-delivery.js';
export { rankByRendezvous } from './routing/rendezvous.js';
export {
  type Batch,
  type BatchHandler,
  MessageTooLarge,
  type PartitionLag,
  type ReceivedMessage,
  type SubscribeOptions,
  type TopicSpec,
  type Transport,
  type TransportCapabilities,
  type TransportSubscription,
  UnknownTopic,
} from './transport/transport.js';
