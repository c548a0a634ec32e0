/** How often and when a failing message is tried again. */
export interface RetryPolicy {
  /** Attempts in all before it is a dead letter. */
  readonly attempts: number;
  /** The pause after the first failure, in ms; it doubles with each. */
  readonly firstMs: number;
  /** The longest pause, in ms. */
  readonly longestMs: number;
  /** After the last attempt: `skip` lets its key go on, `hold` keeps the key until an operator decides. */
  readonly onDead: 'skip' | 'hold';
}

/** About a minute and a half in all. */
export const DEFAULT_RETRY: RetryPolicy = { attempts: 10, firstMs: 200, longestMs: 60_000, onDead: 'skip' };

/** Exponential, with full jitter in its upper half, so that what failed together does not come back together. */
export function pauseAfter(
  attempts: number,
  policy: Pick<RetryPolicy, 'firstMs' | 'longestMs'>,
  random: number = Math.random(),
): number {
  const ceiling = Math.min(policy.firstMs * 2 ** (attempts - 1), policy.longestMs);
  return ceiling / 2 + (random * ceiling) / 2;
}

/** An attempt that failed, as it is kept with the message. */
export interface Attempt {
  readonly at: string;
  readonly error: string;
}

/** Longest account of an error that is kept, in characters. */
const LONGEST_ERROR = 4_000;

export function attemptOf(error: unknown): Attempt {
  return { at: new Date().toISOString(), error: keptAccount(error, LONGEST_ERROR) };
}

/** Whatever was thrown, as text that a database takes, of so many characters at most. */
export function keptAccount(error: unknown, longest: number): string {
  // Half a character, as a cut may leave one, is no text that can be kept.
  return accountOf(error).replaceAll('\0', '\uFFFD').slice(0, longest).toWellFormed();
}

/** Whatever was thrown, as text. */
export function accountOf(error: unknown): string {
  if (error instanceof Error) return error.stack ?? error.message;
  try {
    return String(error);
  } catch {
    return 'something was thrown that cannot be told';
  }
}
