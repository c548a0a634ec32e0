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
  /** Topics this service publishes to; made at start when they are not there. */
  readonly topics: readonly string[];
  /** Partitions of a topic that this service makes. */
  readonly partitions: number;
}

/** Partitions of a topic that a service makes, where it does not say. */
export const DEFAULT_PARTITIONS = 4;
