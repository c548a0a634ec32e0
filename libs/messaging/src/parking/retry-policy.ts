import type { Backoff } from '../runtime/backoff.js';
import { storableError } from '../runtime/describe-error.js';

/** How often and when a failing message is tried again. The pause doubles with each failure. */
export interface RetryPolicy extends Backoff {
  /** Attempts in total before the message is a dead letter. */
  readonly attempts: number;
  /** After the last attempt: `skip` lets its key go on, `hold` keeps the key until an operator decides. */
  readonly onDead: 'skip' | 'hold';
}

/** About a minute and a half in total. */
export const DEFAULT_RETRY: RetryPolicy = { attempts: 10, firstMs: 200, longestMs: 60_000, onDead: 'skip' };

/** A failed attempt, as it is stored with the message. */
export interface FailedAttempt {
  readonly at: string;
  readonly error: string;
}

/** Longest description of an error that is stored, in characters. */
const LONGEST_ERROR = 4_000;

export function failedAttempt(error: unknown): FailedAttempt {
  return { at: new Date().toISOString(), error: storableError(error, LONGEST_ERROR) };
}
