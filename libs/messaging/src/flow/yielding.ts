import { availableParallelism, cpus } from 'node:os';
import { setTimeout } from 'node:timers/promises';

/** Below this share of idle processor time the machine is wanted by others, above the upper one by nobody. */
const IDLE_SHARE = { busy: 0.05, free: 0.3 } as const;
/** How many times longer than it worked a loop rests on a busy machine. */
const REST_FACTOR = 5;
/** The longest rest, in ms: the most that one can add to a message's way. */
const LONGEST_REST_MS = 500;
/** How long one look at the machine is good for, in ms. */
const SAMPLE_MS = 200;

interface Sample {
  readonly at: number;
  readonly idleMs: number;
  readonly idleShare: number;
}

let last: Sample = { at: performance.now(), idleMs: idleMs(), idleShare: 1 };

/**
 * Rests after a piece of background work, for as long as the machine is wanted elsewhere: in proportion to the
 * work, so that what nobody waits for takes a sixth of a busy machine and all of an idle one. What it works for,
 * the database above all, yields with it; a low priority of its own process would not do that.
 *
 * A scavenger in the sense of LEDBAT (RFC 6817), with idle processor time where that has queueing delay.
 */
export async function restAfter(startedAt: number, signal?: AbortSignal): Promise<void> {
  const now = performance.now();
  const rest = restFor(now - startedAt, idleShare(now));
  if (rest >= 1) await setTimeout(rest, undefined, { signal }).catch(() => undefined);
}

/** How long to rest, in ms, after so much work, in ms, on a machine that is idle for that share of its time. */
export function restFor(workedMs: number, idleShare: number): number {
  const { busy, free } = IDLE_SHARE;
  const pressure = Math.min(1, Math.max(0, (free - idleShare) / (free - busy)));
  return Math.min(workedMs * REST_FACTOR * pressure, LONGEST_REST_MS);
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
