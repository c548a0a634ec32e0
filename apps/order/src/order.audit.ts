import { defineAudit } from '#audit';
import { OrderFacts, sameSet, SandboxFacts, SeckillFacts, seenOutside, zero } from '#contracts';

/** What the order service reports to the audit. */
export const orderAudit = defineAudit({
  facts: OrderFacts,
  sets: {
    placed: 'SELECT id FROM orders',
    reservationsOrdered: "SELECT reservation_id AS id FROM orders WHERE origin = 'seckill'",
    everPaid: 'SELECT id FROM orders WHERE paid_at IS NOT NULL',
    cancelled: 'SELECT id FROM orders WHERE cancelled_at IS NOT NULL',
    refunded: 'SELECT id FROM refund WHERE jsonb_array_length(items) > 0',
    ordinaryRefunded: `SELECT r.id FROM refund r JOIN orders o ON o.id = r.order_id
      WHERE o.origin = 'ordinary' AND jsonb_array_length(r.items) > 0`,
    seckillGivenUp: "SELECT id FROM orders WHERE origin = 'seckill' AND status IN ('cancelled', 'refunded')",
    seckillKept: "SELECT id FROM orders WHERE origin = 'seckill' AND status NOT IN ('cancelled', 'refunded')",
    ordinaryCancelled: `SELECT id FROM orders
      WHERE origin = 'ordinary' AND status = 'cancelled' AND priced_at IS NOT NULL`,
  },
  numbers: {
    refundsDue: 'SELECT count(*) FROM refund WHERE given_back_at IS NULL',
    paymentsTaken: "SELECT count(*) FROM payment WHERE status IN ('paid', 'surplus')",
    refundsGiven: 'SELECT count(*) FROM refund WHERE given_back_at IS NOT NULL',
    minorTaken: "SELECT coalesce(sum(amount_minor), 0) FROM payment WHERE status IN ('paid', 'surplus')",
    minorGivenBack: 'SELECT coalesce(sum(amount_minor), 0) FROM refund WHERE given_back_at IS NOT NULL',
    refundsOff: `SELECT count(*) FROM orders o WHERE o.refunded_minor <> (
      SELECT coalesce(sum(r.amount_minor), 0) FROM refund r
      WHERE r.order_id = o.id AND jsonb_array_length(r.items) > 0)`,
    pendingStock: "SELECT count(*) FROM orders WHERE status = 'pending_stock'",
    paidWithoutPayment: `SELECT count(*) FROM orders o
      WHERE (o.status IN ('paid', 'shipped', 'completed', 'refunded')) <>
        EXISTS (SELECT FROM payment p WHERE p.order_id = o.id AND p.status = 'paid')`,
  },
  invariants: [
    zero('orders paid without their payment: 0', OrderFacts.paidWithoutPayment),
    zero('refunds still due: 0', OrderFacts.refundsDue),
    zero('orders whose refunds do not add up: 0', OrderFacts.refundsOff),
    zero('ordinary orders still waiting for stock: 0', OrderFacts.pendingStock),
    sameSet(
      'every reservation has exactly one order',
      SeckillFacts.reservations,
      OrderFacts.reservationsOrdered,
    ),
    seenOutside(
      'the provider was paid as often as the shop',
      OrderFacts.paymentsTaken,
      SandboxFacts.paymentsPaid,
    ),
    seenOutside('the provider gave back as often as the shop', OrderFacts.refundsGiven, SandboxFacts.refunds),
    seenOutside(
      'the provider took as much, in minor units, as the shop',
      OrderFacts.minorTaken,
      SandboxFacts.minorPaid,
    ),
    seenOutside(
      'the provider gave back as much, in minor units, as the shop',
      OrderFacts.minorGivenBack,
      SandboxFacts.minorRefunded,
    ),
  ],
});
