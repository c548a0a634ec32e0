import { defineFacts } from '../audit/facts.js';

/**
 * What the order service reports to an audit. Its sets hold order ids, except for reservations and refunds.
 */
export const OrderFacts = defineFacts('order', {
  placed: 'set',
  reservationsOrdered: 'set',
  everPaid: 'set',
  cancelled: 'set',
  /** Refunds that took something back. */
  refunded: 'set',
  ordinaryRefunded: 'set',
  seckillGivenUp: 'set',
  seckillKept: 'set',
  /** Cancelled after the catalog had reserved their stock. */
  ordinaryCancelled: 'set',
  refundsDue: 'number',
  paymentsTaken: 'number',
  refundsGiven: 'number',
  minorTaken: 'number',
  minorGivenBack: 'number',
  /** Orders whose refunds do not add up to the amount recorded as refunded. */
  refundsOff: 'number',
  pendingStock: 'number',
  paidWithoutPayment: 'number',
});
