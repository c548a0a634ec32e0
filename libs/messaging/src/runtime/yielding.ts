import { cpus } from 'node:os';
import { setTimeout } from 'node:timers/promises';

/** A rest grows from zero to its full length as the share of CPU time in use goes from `from` to `to`. */
interface Ramp {
  readonly from: number;
  readonly to: number;
}

/**
 * On a busy machine, a loop rests for up to as long as it worked, so that it finds full batches: a batch
 * costs the same, whatever its size. The longest rest is short, because there are two on a message's path.
 */
const GATHER = { used: { from: 0.5, to: 0.8 } satisfies Ramp, factor: 1, longestMs: 8 } as const;

/**
 * On a machine that others need, all loops of a process together use one sixth of a CPU. What they use, above
 * all the database, yields with them; a low priority of their own process would not do that. Others are the
 * processes that run at normal priority. The longest rest is the most latency that this can add to a message.
 */
const YIELD = { used: { from: 0.65, to: 0.8 } satisfies Ramp, factor: 5, longestMs: 1_000 } as const;

/** How long one sample of CPU usage stays valid, in ms. */
const SAMPLE_MS = 200;

/** Shares of all CPU time. Time spent waiting for disks does not count. */
export interface Usage {
  readonly all: number;
  /** Without the use by low-priority processes. */
  readonly others: number;
}

let sample = { at: performance.now(), ...processorTime(), usage: { all: 0, others: 0 } };
/** When the rests for all work done in this process will be over. */
let restedAt = 0;

/**
 * Rests after a piece of background work, for as long as the machine has other things to do; on an idle
 * machine not at all. After a full batch there is nothing to gather: more messages wait than fit. A scavenger
 * in the sense of LEDBAT (RFC 6817), with CPU time in place of queueing delay.
 */
export async function restAfter(
  startedAt: number,
  { full = false, signal }: { full?: boolean; signal?: AbortSignal } = {},
): Promise<void> {
  const now = performance.now();
  const { gather, yielding } = restFor(now - startedAt, usage(now));
  if (yielding > 0) restedAt = Math.min(Math.max(restedAt, now) + yielding, now + YIELD.longestMs);
  const gathering = full ? 0 : gather;
  const rest = yielding > 0 ? Math.max(gathering, restedAt - now) : gathering;
  if (rest >= 1) await setTimeout(rest, undefined, { signal }).catch(() => undefined);
}

/**
 * How long to rest after `workedMs` of work, in ms: `gather` for this loop, `yielding` for the whole process
 * in turn.
 */
export function restFor(workedMs: number, { all, others }: Usage): { gather: number; yielding: number } {
  return {
    gather: Math.min(workedMs * GATHER.factor * on(GATHER.used, all), GATHER.longestMs),
    yielding: workedMs * YIELD.factor * on(YIELD.used, others),
  };
}

function on({ from, to }: Ramp, share: number): number {
  return Math.min(1, Math.max(0, (share - from) / (to - from)));
}

function usage(now: number): Usage {
  const elapsed = now - sample.at;
  if (elapsed < SAMPLE_MS) return sample.usage;
  const { all, others, processors } = processorTime();
  const whole = elapsed * processors;
  const used = { all: (all - sample.all) / whole, others: (others - sample.others) / whole };
  sample = { at: now, all, others, processors, usage: used };
  return used;
}

function processorTime(): { all: number; others: number; processors: number } {
  let [others, nice] = [0, 0];
  const processors = cpus();
  for (const { times } of processors) {
    others += times.user + times.sys + times.irq;
    nice += times.nice;
  }
  return { all: others + nice, others, processors: processors.length };
}
