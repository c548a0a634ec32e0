/** One point for every whole unit of the currency; a hundred minor units make one. Pure. */
export function pointsFor(totalMinor: number): number {
  return Math.floor(totalMinor / 100);
}
