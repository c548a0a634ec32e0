import { defineAudit } from '#audit';
import { SandboxFacts } from '#contracts';

/** What the outside world has seen, but for experiments with the naive way. The shop's services check their books against it. */
export const sandboxAudit = defineAudit({
  facts: SandboxFacts,
  sets: {
    payments: `
      SELECT payment_id || '/' || amount_minor || '/' || currency AS id FROM checkout WHERE outcome = 'paid'`,
    refundsGiven: "SELECT lower(id) || '/' || payment_id || '/' || amount_minor AS id FROM refund",
    texts: "SELECT id || '/' || recipient || '/' || md5(text) AS id FROM sms WHERE id NOT LIKE 'naive-%'",
    webhooks: "SELECT id || '/' || type AS id FROM webhook",
  },
  numbers: {
    paymentsPaid: "SELECT count(*) FROM checkout WHERE outcome = 'paid'",
    minorPaid: "SELECT coalesce(sum(amount_minor), 0) FROM checkout WHERE outcome = 'paid'",
    refunds: 'SELECT count(*) FROM refund',
    minorRefunded: 'SELECT coalesce(sum(amount_minor), 0) FROM refund',
    callbacksWaiting: 'SELECT count(*) FROM callback WHERE delivered_at IS NULL',
    sms: "SELECT count(*) FROM sms WHERE id NOT LIKE 'naive-%'",
    webhooksPaid: "SELECT count(*) FROM webhook WHERE type = 'order.paid'",
    webhooksCancelled: "SELECT count(*) FROM webhook WHERE type = 'order.cancelled'",
  },
  invariants: [],
  onTheWay: [SandboxFacts.callbacksWaiting],
});
