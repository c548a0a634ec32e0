import { setTimeout } from 'node:timers/promises';
import { type Backoff, pauseAfter } from './backoff.js';

export interface RetryUntilOptions {
  readonly backoff: Backoff;
  /** How long to try, in ms. */
  readonly forMs: number;
  /** Which errors are transient; all of them if left out. */
  readonly isTransient?: (error: unknown) => boolean;
  /** Aborted when there is no time left for another attempt. */
  readonly signal?: AbortSignal | undefined;
  /** Called before each pause. */
  readonly onPause?: (error: unknown, pauseMs: number) => void;
}

/**
 * Tries again, with backoff, until it succeeds.
 * @throws the last error, when it is not transient, the time is up or the signal is aborted
 */
export async function retryUntil<T>(attempt: () => Promise<T>, options: RetryUntilOptions): Promise<T> {
  const { backoff, forMs, isTransient = () => true, signal, onPause } = options;
  const until = performance.now() + forMs;
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      const pause = Math.round(pauseAfter(failures, backoff));
      if (!isTransient(error) || signal?.aborted || performance.now() + pause > until) throw error;
      onPause?.(error, pause);
      await setTimeout(pause, undefined, { signal }).catch(() => undefined);
    }
  }
}
