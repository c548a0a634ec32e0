/** Injection tokens. The app's `main.ts` provides the transport; everything else comes from forService. */
export const MESSAGE_TRANSPORT = Symbol('sluice.transport');
export const MESSAGING_OPTIONS = Symbol('sluice.messaging-options');
export const MESSAGING_DATABASE = Symbol('sluice.messaging-database');
export const MESSAGING_INSTANCE = Symbol('sluice.instance');
/** AlertWebhookOptions, where alerts go to a webhook. */
export const MESSAGING_ALERTS = Symbol('sluice.alerts');

export interface MessagingOptions {
  readonly service: string;
  /** Topics this service publishes to; made at start when they are not there. */
  readonly topics: readonly string[];
  /** Partitions of a topic that this service makes. */
  readonly partitions: number;
}

/** Every bound of the library, by name. */
export const MESSAGING_LIMITS = {
  /** Most events in one call to publish. */
  publishEvents: 5_000,
  /** Most messages the relay sends in one go. */
  relayBatch: 1_000,
  /** Most payload bytes the relay sends in one go. */
  relayBatchBytes: 8 * 1024 * 1024,
  /** How long another instance waits for a silent relay, in ms. */
  relayLeaseMs: 6_000,
  /** How often an idle relay looks by itself, in ms. */
  relayPollMs: 250,
  /** Longest pause of a relay whose transport is away, in ms. */
  relayMaxBackoffMs: 5_000,
  /** Messages of a partition fetched at a time, where a subscription's own batch is not larger. */
  fetch: 500,
  /** Most messages of a subscription parked at a time; past it the subscription waits. */
  parked: 10_000,
  /** How often parked messages are looked at, in ms. */
  retryPollMs: 250,
  /** Longest pause of the retrier while its database is away, in ms. */
  retryMaxBackoffMs: 5_000,
  /** Messages of a subscription parked at which an alert is raised, well before it waits. */
  parkedAlert: 5_000,
  /** How long a subscription waits for an outage, or for room, before an alert is raised, in ms. */
  waitingAlertMs: 10_000,
  /** Events committed and not yet sent at which an alert is raised. */
  outboxAlert: 50_000,
  /** How often the figures that alerts are raised for are looked at, in ms. */
  alertPollMs: 5_000,
  /** Most notices of alerts sent to the webhook after one look. */
  alertNotices: 100,
  /** Most notices of alerts kept for a webhook that does not take them. */
  alertNoticesKept: 1_000,
  /** How long an alert that is over is kept, in days. */
  alertDays: 30,
  /** Most events that wait to be sent in a service without a database. */
  clientWaiting: 10_000,
  /** Most timers fired in one transaction. */
  timerBatch: 500,
  /** How late a timer can be that another instance scheduled, in ms. */
  timerPollMs: 1_000,
  /** How long a receipt is kept, in days: longer than any copy can be late. */
  receiptDays: 7,
  /** Receipts removed in one statement. */
  receiptPurge: 5_000,
} as const satisfies Record<string, number>;
