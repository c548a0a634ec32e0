import { defineFacts } from '../audit/facts.js';

/** What the statistics service reports to an audit: the orders and refunds that it has counted. */
export const StatisticsFacts = defineFacts('statistics', {
  placed: 'set',
  paid: 'set',
  cancelled: 'set',
  refunded: 'set',
  /** Paid orders, amount and units of each minute and currency. */
  sales: 'set',
});
