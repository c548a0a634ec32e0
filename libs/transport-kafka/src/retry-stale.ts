import { retryUntil, type RetryUntilOptions } from '#messaging';
import { isStale } from './errors.js';
import { RETRY } from './limits.js';

/** Retries what a broker that is unavailable now may accept later. @throws the last error */
export function retryStale<T>(
  attempt: () => Promise<T>,
  options: Omit<RetryUntilOptions, 'backoff'>,
): Promise<T> {
  return retryUntil(attempt, { backoff: RETRY, isTransient: isStale, ...options });
}
