import { defineFacts } from '../audit/facts.js';

/** What the merchant notifier reports to an audit: orders that a merchant was notified of. */
export const MerchantNotifierFacts = defineFacts('merchant-notifier', {
  paid: 'set',
  cancelled: 'set',
  paidDeliveries: 'number',
  /** Ids of the webhooks that were delivered. */
  sent: 'set',
  cancelledDeliveries: 'number',
});
