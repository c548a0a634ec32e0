import { defineAudit } from '#audit';
import { MerchantNotifierFacts, OrderFacts, sameSet, SandboxFacts, seenOutside } from '#contracts';

/** What the merchant notifier reports to the audit. */
export const merchantNotifierAudit = defineAudit({
  facts: MerchantNotifierFacts,
  sets: {
    paid: "SELECT order_id AS id FROM delivery WHERE type = 'order.paid'",
    cancelled: "SELECT order_id AS id FROM delivery WHERE type = 'order.cancelled'",
    sent: "SELECT webhook_id || '/' || type AS id FROM delivery",
  },
  numbers: {
    paidDeliveries: "SELECT count(*) FROM delivery WHERE type = 'order.paid'",
    cancelledDeliveries: "SELECT count(*) FROM delivery WHERE type = 'order.cancelled'",
  },
  invariants: [
    sameSet(
      'every paid order has exactly one merchant delivery',
      OrderFacts.everPaid,
      MerchantNotifierFacts.paid,
    ),
    sameSet(
      'every cancelled order has exactly one merchant delivery',
      OrderFacts.cancelled,
      MerchantNotifierFacts.cancelled,
    ),
    sameSet('each delivery reached the merchant', MerchantNotifierFacts.sent, SandboxFacts.webhooks),
    seenOutside(
      'the merchant has each paid order once',
      MerchantNotifierFacts.paidDeliveries,
      SandboxFacts.webhooksPaid,
    ),
    seenOutside(
      'the merchant has each cancelled order once',
      MerchantNotifierFacts.cancelledDeliveries,
      SandboxFacts.webhooksCancelled,
    ),
  ],
});
