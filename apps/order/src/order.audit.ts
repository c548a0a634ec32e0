import { defineAudit } from '#audit';
import {
  OrderFacts,
  PaymentDue,
  sameSet,
  SandboxFacts,
  SeckillFacts,
  seenOutside,
  CURRENCIES,
  zero,
} from '#contracts';

const ITEMS = 'jsonb_array_elements(o.items) AS i';
const QUANTITY = "(i->>'quantity')::bigint";
const PAID = 'o.paid_at IS NOT NULL';

/** What an audit compares with the holds of the catalog. */
const linesOf = (condition: string) => `
  SELECT o.id || '/' || (i->>'sku') || '/' || (i->>'quantity') AS id
  FROM orders o, ${ITEMS} WHERE o.origin = 'ordinary' AND ${condition}`;

const UNITS = CURRENCIES.map(({ digits, codes }) => {
  const list = codes.map(code => `'${code}'`).join(', ');
  return `WHEN o.currency IN (${list}) THEN ${10 ** digits}`;
});

/** One point for every whole unit of the currency. */
const points = (minor: string) => `(${minor} / CASE ${UNITS.join(' ')} ELSE 100 END)`;

/** A payment timer has the key of its order. */
const TIMER = `SELECT FROM messaging.timer t WHERE t.type = '${PaymentDue.type}' AND lower(t.key) = o.id::text`;

/** What the order service reports to the audit. */
export const orderAudit = defineAudit({
  facts: OrderFacts,
  sets: {
    placed: 'SELECT id FROM orders',
    reservationsOrdered: `
      SELECT reservation_id || '/' || campaign_id || '/' || id || '/' || buyer_id || '/' || (items->0->>'sku') || '/' ||
        (items->0->>'quantity') || '/' || total_minor AS id
      FROM orders WHERE origin = 'seckill'`,
    seckillSold:
      "SELECT id FROM orders WHERE origin = 'seckill' AND status IN ('paid', 'shipped', 'completed')",
    linesAwaiting: linesOf("o.status = 'awaiting_payment'"),
    linesSold: linesOf(PAID),
    linesCancelled: linesOf("o.status = 'cancelled' AND o.priced_at IS NOT NULL"),
    linesRefunded: `
      SELECT r.id || '/' || r.order_id || '/' || (i->>'sku') || '/' || (i->>'quantity') AS id
      FROM refund r JOIN orders o ON o.id = r.order_id, jsonb_array_elements(r.items) AS i
      WHERE o.origin = 'ordinary'`,
    payments: `
      SELECT id || '/' || amount_minor || '/' || currency AS id
      FROM payment WHERE status IN ('paid', 'surplus')`,
    refunds: `
      SELECT id || '/' || payment_id || '/' || amount_minor AS id
      FROM refund WHERE given_back_at IS NOT NULL`,
    pointsEarned: `SELECT o.id || '/' || o.buyer_id || '/' || ${points('o.total_minor')} AS id FROM orders o WHERE ${PAID}`,
    pointsLost: `
      SELECT o.id || '/' || o.buyer_id || '/' || (${points('o.total_minor')} - ${points('(o.total_minor - o.refunded_minor)')}) AS id
      FROM orders o
      WHERE EXISTS (SELECT FROM refund r WHERE r.order_id = o.id AND jsonb_array_length(r.items) > 0)`,
    sales: `
      SELECT extract(epoch FROM date_trunc('minute', paid_at))::bigint || '/' || currency || '/' || count(*) || '/' ||
        sum(total_minor) || '/' || sum((SELECT sum(${QUANTITY}) FROM ${ITEMS})) AS id
      FROM orders o WHERE ${PAID} GROUP BY date_trunc('minute', paid_at), currency`,
    bought: `
      SELECT o.buyer_id || '/' || (i->>'sku') || '/' || sum(${QUANTITY}) AS id
      FROM orders o, ${ITEMS} WHERE ${PAID} GROUP BY o.buyer_id, i->>'sku'`,
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
    withoutTimer: `
      SELECT count(*) FROM orders o WHERE o.status = 'awaiting_payment' AND NOT EXISTS (
        ${TIMER} AND t.due_at <= greatest(o.pay_by, now()) + interval '1 second')`,
    timersLeft: `
      SELECT count(*) FROM messaging.timer t WHERE t.type = '${PaymentDue.type}' AND NOT EXISTS (
        SELECT FROM orders o WHERE o.id::text = lower(t.key) AND o.status = 'awaiting_payment')`,
    totalsOff: `
      SELECT count(*) FROM orders o WHERE o.total_minor IS NOT NULL AND o.total_minor IS DISTINCT FROM (
        SELECT sum(${QUANTITY} * (i->>'unitPriceMinor')::bigint) FROM ${ITEMS})`,
    pendingStock: "SELECT count(*) FROM orders WHERE status = 'pending_stock'",
    paidWithoutPayment: `SELECT count(*) FROM orders o
      WHERE (o.status IN ('paid', 'shipped', 'completed', 'refunded')) <>
        EXISTS (SELECT FROM payment p WHERE p.order_id = o.id AND p.status = 'paid')`,
    paymentsOff: `SELECT count(*) FROM payment p JOIN orders o ON o.id = p.order_id
      WHERE p.status = 'paid' AND (p.amount_minor, p.currency) IS DISTINCT FROM (o.total_minor, o.currency)`,
  },
  invariants: [
    zero('orders paid without their payment: 0', OrderFacts.paidWithoutPayment),
    zero('orders paid with another amount than their total: 0', OrderFacts.paymentsOff),
    zero('refunds still due: 0', OrderFacts.refundsDue),
    zero('orders whose refunds do not add up: 0', OrderFacts.refundsOff),
    zero('ordinary orders still waiting for stock: 0', OrderFacts.pendingStock),
    zero('orders that wait for payment without an end: 0', OrderFacts.withoutTimer),
    zero('payment timers of orders that do not wait: 0', OrderFacts.timersLeft),
    zero('orders whose lines do not add up to their total: 0', OrderFacts.totalsOff),
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
    sameSet('each payment is the provider’s, with its amount', OrderFacts.payments, SandboxFacts.payments),
    sameSet('each refund is the provider’s, with its amount', OrderFacts.refunds, SandboxFacts.refundsGiven),
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
