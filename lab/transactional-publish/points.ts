/** Where a publisher dies. */
export const POINTS = ['before the commit', 'between commit and send', 'after the send'] as const;
export type Point = (typeof POINTS)[number];

/** The point of the n-th crash: each has its turn. */
export function pointOf(crash: number): Point {
  return POINTS[crash % POINTS.length]!;
}
