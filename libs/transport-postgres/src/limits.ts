import type { SessionLimits } from '#messaging';

/** Bounds of the PostgreSQL transport, by name. */
export const LIMITS = {
  /** The longest payload, in bytes. */
  maxMessageBytes: 1024 * 1024,
  /** Payload bytes in a batch, where the subscriber does not say. */
  maxBatchBytes: 4 * 1024 * 1024,
  /** How long an instance that went silent keeps its partitions, in ms. */
  leaseMs: 6_000,
  /** Connections of a process to the log, besides the one that listens. */
  connections: 6,
  /** How long messages are kept, in days. */
  retentionDays: 7,
  /** How many days ahead the table has partitions. */
  daysAhead: 7,
  /** A group without a reader for this long no longer holds messages back, in days. */
  abandonedGroupDays: 14,
} as const satisfies Record<string, number>;

/** What a connection to the log may take, in ms. No statement of it takes long, and a lease must not wait for one. */
export const SESSION: SessionLimits = {
  idleInTransactionMs: 10_000,
  lockMs: 5_000,
  statementMs: 10_000,
  silentMs: 5_000,
};

/** Pauses, in ms. */
export const PACE = {
  /** Between two polls of a reader; a NOTIFY cuts every pause short. */
  pollMs: 30_000,
  /** After a connection error. */
  retryMs: 250,
  /** Between two runs of retention. */
  retentionMs: 3_600_000,
  /** …and when something kept a day from being dropped. */
  busyRetentionMs: 300_000,
} as const satisfies Record<string, number>;
