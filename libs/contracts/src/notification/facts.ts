import { defineFacts } from '../audit/facts.js';

/** What the notification service tells an audit: what its notices are about. */
export const NotificationFacts = defineFacts('notification', {
  placed: 'set',
  paid: 'set',
  cancelled: 'set',
  refunded: 'set',
  notices: 'number',
});
