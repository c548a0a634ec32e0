/** The library's own SQLSTATEs, which `messaging.begin_batch` raises. Its definition is in `migration/`. */
export const SqlState = {
  /** A later owner has taken over the partition. */
  staleOwner: 'SL001',
  /** An operator has paused the subscription. */
  paused: 'SL002',
} as const;

/** The error code of whatever was thrown: a SQLSTATE, or a name such as `ECONNRESET`. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, driverError } = error as { code?: unknown; driverError?: { code?: unknown } | null };
  const found = code ?? driverError?.code;
  return typeof found === 'string' ? found : undefined;
}
