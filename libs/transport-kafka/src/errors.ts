interface KafkaError extends Error {
  /** The name of a protocol error code. */
  readonly type?: string;
  readonly code?: unknown;
}

/** The name of the protocol error, of the error itself or of one of its causes. */
export function protocolError(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { type } = cause as KafkaError;
    if (typeof type === 'string') return type;
  }
  return undefined;
}

/** Whether asking another broker, or the same one later, may help: its role changed, or it is unavailable. */
export function isStale(error: unknown): boolean {
  const type = protocolError(error);
  // An error without a protocol code comes from the connection.
  if (type !== undefined) return STALE.has(type);
  const { name } = error as Error;
  return name.startsWith('KafkaJS') && !OF_THE_DATA.has(name);
}

const OF_THE_DATA = new Set([
  'KafkaJSNotImplemented',
  'KafkaJSPartialMessageError',
  'KafkaJSInvariantViolation',
  'KafkaJSUnsupportedMagicByteInMessageSet',
]);

const STALE = new Set([
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'REPLICA_NOT_AVAILABLE',
  'BROKER_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'KAFKA_STORAGE_ERROR',
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
]);

/** Whether another member has taken over what was ours. */
export function isFenced(error: unknown): boolean {
  return FENCED.has(protocolError(error) ?? '');
}

const FENCED = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID']);
