import { availableParallelism, cpus } from 'node:os';
import { setTimeout } from 'node:timers/promises';

/** Below this share of idle processor time the machine is wanted by others, above the upper one by nobody. */
const IDLE_SHARE = { busy: 0.05, free: 0.3 } as const;
/** How many times longer than it worked a loop rests on a busy machine. */
const REST_FACTOR = 5;
/** The longest rest, in ms: the most that one can add to a message's way. */
const LONGEST_REST_MS = 1_000;
/** How long one look at the machine is good for, in ms. */
const SAMPLE_MS = 200;

interface Sample {
  readonly at: number;
  readonly idleMs: number;
  readonly idleShare: number;
}

/** When the rests of everything that was done in this process will be over. */
let restedAt = 0;
let last: Sample = { at: performance.now(), idleMs: idleMs(), idleShare: 1 };

/**
 * Rests after a piece of background work, for as long as the machine is wanted elsewhere: in proportion to the
 * work, and one loop of this process after the other, so that all of them together take a sixth of a processor
 * on a busy machine and whatever there is on an idle one. What they work for, the database above all, yields with
 * them; a low priority of their own process would not do that.
 *
 * A scavenger in the sense of LEDBAT (RFC 6817), with idle processor time where that has queueing delay.
 */
export async function restAfter(startedAt: number, signal?: AbortSignal): Promise<void> {
  const now = performance.now();
  const rest = restFor(now - startedAt, idleShare(now));
  if (rest < 1) return;
  restedAt = Math.min(Math.max(restedAt, now) + rest, now + LONGEST_REST_MS);
  await setTimeout(restedAt - now, undefined, { signal }).catch(() => undefined);
}

/** How long to rest, in ms, after so much work, in ms, on a machine that is idle for that share of its time. */
export function restFor(workedMs: number, idleShare: number): number {
  const { busy, free } = IDLE_SHARE;
  const pressure = Math.min(1, Math.max(0, (free - idleShare) / (free - busy)));
  return workedMs * REST_FACTOR * pressure;
}

function idleShare(now: number): number {
  const elapsed = now - last.at;
  if (elapsed < SAMPLE_MS) return last.idleShare;
  const idle = idleMs();
  last = { at: now, idleMs: idle, idleShare: (idle - last.idleMs) / (elapsed * availableParallelism()) };
  return last.idleShare;
}

function idleMs(): number {
  return cpus().reduce((total, { times }) => total + times.idle, 0);
}
