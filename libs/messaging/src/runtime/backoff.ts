/** Bounds of a pause that grows with every failure in a row. */
export interface Backoff {
  /** The pause after the first failure, in ms; it doubles with each. */
  readonly firstMs: number;
  /** The longest pause, in ms. */
  readonly longestMs: number;
}

/**
 * Exponential backoff with jitter in its upper half, so that what failed together does not retry together.
 */
export function pauseAfter(
  failures: number,
  { firstMs, longestMs }: Backoff,
  random: number = Math.random(),
): number {
  const ceiling = Math.min(firstMs * 2 ** (failures - 1), longestMs);
  return ceiling / 2 + (random * ceiling) / 2;
}
