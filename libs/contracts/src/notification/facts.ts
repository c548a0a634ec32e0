import { defineFacts } from '../audit/facts.js';

/** What the notification service reports to an audit: the subjects of its notices. */
export const NotificationFacts = defineFacts('notification', {
  placed: 'set',
  paid: 'set',
  cancelled: 'set',
  refunded: 'set',
  notices: 'number',
  /** Notices with buyer and text. */
  sent: 'set',
});
