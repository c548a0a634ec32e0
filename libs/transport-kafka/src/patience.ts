import { setTimeout } from 'node:timers/promises';
import { pauseAfter } from '#messaging';
import { isStale } from './errors.js';
import { RETRY } from './limits.js';

export interface Patience {
  /** How long to try, in ms. */
  readonly forMs: number;
  /** Which errors may pass. */
  readonly passing?: (error: unknown) => boolean;
  /** Aborted when there is no time left for another try. */
  readonly closed?: AbortSignal;
  /** Told before each pause. */
  readonly onPause?: (error: unknown, pauseMs: number) => void;
}

/** Tries again what brokers that come and go may refuse. @throws the last error */
export async function patiently<T>(attempt: () => Promise<T>, patience: Patience): Promise<T> {
  const { forMs, passing = isStale, closed, onPause } = patience;
  const until = performance.now() + forMs;
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      const pause = Math.round(pauseAfter(failures, RETRY));
      if (!passing(error) || closed?.aborted || performance.now() + pause > until) throw error;
      onPause?.(error, pause);
      await setTimeout(pause, undefined, { signal: closed }).catch(() => undefined);
    }
  }
}
