/**
 * How long until the next multiple of `everyMs`, in ms: more than 0, at most `everyMs`. What is regular happens at the same
 * moments in all processes of a machine: whoever wakes alone finds every cache cold.
 */
export function untilNext(everyMs: number, now: number = Date.now()): number {
  return everyMs - (Math.floor(now) % everyMs);
}
