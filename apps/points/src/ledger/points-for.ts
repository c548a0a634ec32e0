import { exponentOf, type OrderRefunded } from '#contracts';

/** One point for every whole unit of the currency. Pure. */
export function pointsFor(totalMinor: number, currency: string): number {
  return Math.floor(totalMinor / 10 ** exponentOf(currency));
}

/** What a refund says of its order's money. */
type Refunded = Pick<OrderRefunded, 'paidMinor' | 'refundedBeforeMinor' | 'totalMinor'>;

/** The points to take back for a part of an order. Those of all parts add up to the whole. Pure. */
export function pointsBack(
  { paidMinor, refundedBeforeMinor, totalMinor }: Refunded,
  currency: string,
): number {
  const left = paidMinor - refundedBeforeMinor;
  return pointsFor(left, currency) - pointsFor(left - totalMinor, currency);
}
