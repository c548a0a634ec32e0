import { defineAudit } from '#audit';
import { NotificationFacts, OrderFacts, sameSet, SandboxFacts, seenOutside } from '#contracts';

/** What the notification service reports to the audit. */
export const notificationAudit = defineAudit({
  facts: NotificationFacts,
  sets: {
    placed: noticesOf('placed'),
    paid: noticesOf('paid'),
    cancelled: noticesOf('cancelled'),
    refunded: noticesOf('refunded'),
    sent: "SELECT id || '/' || buyer_id || '/' || md5(text) AS id FROM notice",
  },
  numbers: { notices: 'SELECT count(*) FROM notice' },
  invariants: [
    sameSet('every placed order has exactly one notice', OrderFacts.placed, NotificationFacts.placed),
    sameSet('every paid order has exactly one notice', OrderFacts.everPaid, NotificationFacts.paid),
    sameSet(
      'every cancelled order has exactly one notice',
      OrderFacts.cancelled,
      NotificationFacts.cancelled,
    ),
    sameSet('every refund has exactly one notice', OrderFacts.refunded, NotificationFacts.refunded),
    sameSet(
      'each notice reached its buyer’s telephone, as it was written',
      NotificationFacts.sent,
      SandboxFacts.texts,
    ),
    seenOutside('the telephone has each notice once', NotificationFacts.notices, SandboxFacts.sms),
  ],
});

/** Orders, or refunds, that notices of this kind are about. */
function noticesOf(kind: string): string {
  return `SELECT cause_id AS id FROM notice WHERE kind = 'order-${kind}'`;
}
