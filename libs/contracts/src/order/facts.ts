import { defineFacts } from '../audit/facts.js';

/**
 * What the order service reports to an audit. Its sets hold order ids where nothing else is said.
 */
export const OrderFacts = defineFacts('order', {
  placed: 'set',
  /** Reservations with their order, buyer, SKU, quantity and price. */
  reservationsOrdered: 'set',
  everPaid: 'set',
  cancelled: 'set',
  /** Flash-sale orders that are paid and not given up. */
  seckillSold: 'set',
  /** Lines of ordinary orders, with SKU and quantity: of those that wait for payment, */
  linesAwaiting: 'set',
  /** of those that were paid, */
  linesSold: 'set',
  /** of those that were cancelled after the catalog had reserved their stock, */
  linesCancelled: 'set',
  /** and of refunds. */
  linesRefunded: 'set',
  /** Payments that the shop took, and refunds that it gave back, with their amounts. */
  payments: 'set',
  refunds: 'set',
  /** Paid orders with the points that they earn, and refunded ones with the points that they lose. */
  pointsEarned: 'set',
  pointsLost: 'set',
  /** Paid orders, amount and units of each minute and currency. */
  sales: 'set',
  /** What each buyer has paid for, by SKU, with the quantity. */
  bought: 'set',
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
  /** Payments that paid an order and are not its total. */
  paymentsOff: 'number',
  /** Orders that wait for payment and that no timer will cancel. */
  withoutTimer: 'number',
  /** Payment timers of orders that do not wait for payment. */
  timersLeft: 'number',
  /** Orders whose lines do not add up to their total. */
  totalsOff: 'number',
});
