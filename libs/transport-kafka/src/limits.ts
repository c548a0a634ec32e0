/** Bounds of the Kafka transport, by name. */
export const LIMITS = {
  /** The longest payload, in bytes. */
  maxMessageBytes: 1024 * 1024,
  /** What a topic must take: the longest payload with its key and headers. */
  maxRecordBytes: 1_536 * 1024,
  /** Bytes sent to a partition in one record batch, before compression; a longer message goes alone. */
  recordBatchBytes: 512 * 1024,
  /** Messages in one record batch. */
  recordBatchMessages: 5_000,
  /** Bytes that one round of sending takes from the publishers that wait. */
  publishBytes: 8 * 1024 * 1024,
  /** Payload bytes in a batch for a handler, where the subscriber does not say. */
  maxBatchBytes: 4 * 1024 * 1024,
  /** Bytes of a partition, as the broker stores them, in one fetch: the first, the fewest and the most. */
  firstFetchBytes: 64 * 1024,
  leastFetchBytes: 4 * 1024,
  fetchBytes: 1024 * 1024,
  /** Payload bytes of a partition read ahead of its handler; past it the partition is not read. */
  prefetchBytes: 1024 * 1024,
  /** How long an instance that went silent keeps its partitions, in ms. */
  sessionMs: 6_000,
  /** How long a change of partitions waits for an instance that is busy, in ms. */
  rebalanceMs: 300_000,
  /** How long a batch in hand is let be before it is asked to stop, when its partition is to move, in ms. */
  revokeGraceMs: 3_000,
  /** How long a publish is tried before it fails, in ms. */
  publishMs: 10_000,
  /** How long a look at a group's lag is tried before it fails, in ms. */
  lagMs: 5_000,
  /** How long messages are kept, in days, in a topic that we make. */
  retentionDays: 7,
} as const satisfies Record<string, number>;

/** How it paces itself, in ms. */
export const PACE = {
  /** Between an effect and its commit, which others are gathered for. */
  commitMs: 50,
  connectMs: 3_000,
  requestMs: 15_000,
  /** Longest wait of the broker for something to fetch… */
  fetchWaitMs: 500,
  /** …and while a partition is left out because its handler is behind. */
  fetchWaitBehindMs: 50,
  /** After an error of the connection, doubling. */
  firstRetryMs: 100,
  lastRetryMs: 3_000,
  /** How long a partition is let be that cannot be decoded. */
  unreadableMs: 5_000,
  /** How long what is known of topics and leaders is good for. */
  metadataMs: 60_000,
  /** How long a look at the brokers' health may take. */
  checkMs: 3_000,
} as const satisfies Record<string, number>;

/** The pause after so many failures in a row. */
export const RETRY = { firstMs: PACE.firstRetryMs, longestMs: PACE.lastRetryMs };
