import { setTimeout } from 'node:timers/promises';

/** Pauses between two looks, in ms: the first, and the longest. */
const PAUSE = { firstMs: 10, longestMs: 250 };
const MOST_TOLD = 2_000;

/** What was waited for did not come. The message has the last state that was seen. */
export class NotInTime extends Error {
  constructor(
    readonly awaited: string,
    readonly withinMs: number,
    readonly lastState: unknown,
  ) {
    const seen = typeof lastState === 'string' ? lastState : JSON.stringify(lastState, null, 2);
    super(
      `waited ${withinMs / 1_000} s for ${awaited}; last seen: ${(seen ?? 'nothing').slice(0, MOST_TOLD)}`,
    );
  }
}

/**
 * Looks again until what it sees fits: for state that changes without a signal that reaches us.
 * @param awaited what is waited for, for the error: `order 1a2b to be paid`
 * @throws NotInTime with what it saw last; and whatever `look` throws
 */
export async function until<T>(
  awaited: string,
  look: () => Promise<T>,
  fits: (seen: T) => boolean,
  withinMs: number,
): Promise<T> {
  const latest = performance.now() + withinMs;
  for (let pauseMs = PAUSE.firstMs; ; pauseMs = Math.min(pauseMs * 1.5, PAUSE.longestMs)) {
    const seen = await look();
    if (fits(seen)) return seen;
    if (performance.now() > latest) throw new NotInTime(awaited, withinMs, seen);
    await setTimeout(pauseMs);
  }
}
