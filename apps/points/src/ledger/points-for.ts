/** One point for every whole unit of the currency; a hundred minor units make one. Pure. */
export function pointsFor(totalMinor: number): number {
  return Math.floor(totalMinor / 100);
}

/** The points to take back for a part of an order. Those of all parts add up to the whole. Pure. */
export function pointsBack(paidMinor: number, refundedBeforeMinor: number, refundedMinor: number): number {
  const left = paidMinor - refundedBeforeMinor;
  return pointsFor(left) - pointsFor(left - refundedMinor);
}
