/** One point for every whole unit of the currency; a hundred minor units make one. Pure. */
export function pointsFor(totalMinor: number): number {
  return Math.floor(totalMinor / 100);
}

/** The points that go with a part of an order; those of all parts together are those of the whole. Pure. */
export function pointsBack(paidMinor: number, refundedBeforeMinor: number, refundedMinor: number): number {
  const left = paidMinor - refundedBeforeMinor;
  return pointsFor(left) - pointsFor(left - refundedMinor);
}
