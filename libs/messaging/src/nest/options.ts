/** Injection tokens of a service's messaging. */
export const MESSAGE_TRANSPORT = Symbol('sluice.transport');
export const MESSAGING_OPTIONS = Symbol('sluice.messaging-options');
export const MESSAGING_DATABASE = Symbol('sluice.messaging-database');
/** A name that no other running instance has. */
export const MESSAGING_INSTANCE = Symbol('sluice.instance');
/** AlertWebhookOptions, where alerts go to a webhook. */
export const MESSAGING_ALERTS = Symbol('sluice.alerts');

export interface MessagingOptions {
  /** The service's name, the source of what it publishes. */
  readonly service: string;
  /** Topics this service publishes to; created at start if they do not exist. */
  readonly topics: readonly string[];
  /** Partitions of a topic that this service creates. */
  readonly partitions: number;
}

/** Default number of partitions of a topic that a service creates. */
export const DEFAULT_PARTITIONS = 4;
