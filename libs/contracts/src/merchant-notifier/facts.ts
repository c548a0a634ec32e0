import { defineFacts } from '../audit/facts.js';

/** What the merchant notifier tells an audit: orders that a merchant was told of. */
export const MerchantNotifierFacts = defineFacts('merchant-notifier', {
  paid: 'set',
  cancelled: 'set',
  paidDeliveries: 'number',
  cancelledDeliveries: 'number',
});
