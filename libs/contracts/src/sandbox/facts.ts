import { defineFacts } from '../audit/facts.js';

/** What the outside world has seen of the shop. */
export const SandboxFacts = defineFacts('sandbox', {
  /** Payments and refunds with their amounts, text messages with recipient and text, webhooks by their ids. */
  payments: 'set',
  refundsGiven: 'set',
  texts: 'set',
  webhooks: 'set',
  paymentsPaid: 'number',
  minorPaid: 'number',
  refunds: 'number',
  minorRefunded: 'number',
  callbacksWaiting: 'number',
  sms: 'number',
  webhooksPaid: 'number',
  webhooksCancelled: 'number',
});
