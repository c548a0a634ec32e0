/** Bounds of the Kafka transport, by name. */
export const LIMITS = {
  /** The longest payload, in bytes. */
  maxMessageBytes: 1024 * 1024,
  /** What a topic must accept: the longest payload with its key and headers. */
  maxRecordBytes: 1_536 * 1024,
  /** Bytes sent to a partition in one record batch, before compression; a longer message goes alone. */
  recordBatchBytes: 512 * 1024,
  /** Messages in one record batch. */
  recordBatchMessages: 5_000,
  /** Bytes that one round of sending takes from waiting publishers. */
  publishBytes: 8 * 1024 * 1024,
  /** Payload bytes in a batch for a handler, where the subscriber does not say. */
  maxBatchBytes: 4 * 1024 * 1024,
  /** Bytes of a partition, as the broker stores them, in one fetch: initial, minimum and maximum. */
  firstFetchBytes: 64 * 1024,
  leastFetchBytes: 4 * 1024,
  fetchBytes: 1024 * 1024,
  /** Payload bytes of a partition read ahead of its handler; beyond that the partition is not read. */
  prefetchBytes: 1024 * 1024,
  /** How long an instance that went silent keeps its partitions, in ms. */
  sessionMs: 6_000,
  /** How long a rebalance waits for an instance that is busy, in ms. */
  rebalanceMs: 300_000,
  /**
   * How long a batch in progress may go on before it is asked to stop because its partition is to move, in
   * ms.
   */
  revokeGraceMs: 3_000,
  /** How long a publish is tried before it fails, in ms. */
  publishMs: 10_000,
  /** How long reading a group's lag is tried before it fails, in ms. */
  lagMs: 5_000,
  /** How long messages are kept, in days, in a topic that we create. */
  retentionDays: 7,
} as const satisfies Record<string, number>;

/** Pauses and timeouts, in ms. */
export const PACE = {
  /** Between an effect and its commit, so that one commit covers several. */
  commitMs: 50,
  connectMs: 3_000,
  requestMs: 15_000,
  /** Longest wait at the broker for something to fetch… */
  fetchWaitMs: 500,
  /** …and while a partition is left out because its handler is behind. */
  fetchWaitBehindMs: 50,
  /** After a connection error, doubling. */
  firstRetryMs: 100,
  lastRetryMs: 3_000,
  /** How long a partition that cannot be decoded is left alone. */
  unreadableMs: 5_000,
  /** How long cached metadata of topics and leaders stays valid. */
  metadataMs: 60_000,
  /** How long a health check of the brokers may take. */
  checkMs: 3_000,
} as const satisfies Record<string, number>;

/** Bounds of the pause after failures in a row. */
export const RETRY = { firstMs: PACE.firstRetryMs, longestMs: PACE.lastRetryMs };
