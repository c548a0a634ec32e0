import { defineFacts } from '../audit/facts.js';

/** What the outside world has seen of the shop. */
export const SandboxFacts = defineFacts('sandbox', {
  paymentsPaid: 'number',
  minorPaid: 'number',
  refunds: 'number',
  minorRefunded: 'number',
  callbacksWaiting: 'number',
  sms: 'number',
  webhooksPaid: 'number',
  webhooksCancelled: 'number',
});
