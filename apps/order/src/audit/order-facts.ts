import { Controller } from '@nestjs/common';
import { getFacts } from '#contracts';
import { HandleRequest } from '#requests';
import { idSet } from '#service-kit';
import { OrderDatabase } from '../order.database.js';

const SETS = {
  placed: 'SELECT id FROM orders',
  'reservations ordered': "SELECT reservation_id AS id FROM orders WHERE origin = 'seckill'",
  'ever paid': 'SELECT id FROM orders WHERE paid_at IS NOT NULL',
  'ordinary priced': "SELECT id FROM orders WHERE origin = 'ordinary' AND priced_at IS NOT NULL",
  refunded: 'SELECT id FROM refund WHERE jsonb_array_length(items) > 0',
  'ordinary refunded':
    "SELECT r.id FROM refund r JOIN orders o ON o.id = r.order_id WHERE o.origin = 'ordinary' AND jsonb_array_length(r.items) > 0",
  cancelled: 'SELECT id FROM orders WHERE cancelled_at IS NOT NULL',
  'seckill given up':
    "SELECT id FROM orders WHERE origin = 'seckill' AND status IN ('cancelled', 'refunded')",
  'seckill kept':
    "SELECT id FROM orders WHERE origin = 'seckill' AND status NOT IN ('cancelled', 'refunded')",
  'ordinary cancelled':
    "SELECT id FROM orders WHERE origin = 'ordinary' AND status = 'cancelled' AND priced_at IS NOT NULL",
} as const;

const FIGURES = `
SELECT (SELECT count(*) FROM refund WHERE given_back_at IS NULL)::int AS "refunds due",
       (SELECT count(*) FROM payment WHERE status IN ('paid', 'surplus'))::int AS "payments taken",
       (SELECT count(*) FROM refund WHERE given_back_at IS NOT NULL)::int AS "refunds given",
       (SELECT coalesce(sum(amount_minor), 0) FROM payment WHERE status IN ('paid', 'surplus'))::float8 AS "minor taken",
       (SELECT coalesce(sum(amount_minor), 0) FROM refund WHERE given_back_at IS NOT NULL)::float8 AS "minor given back",
       (SELECT count(*) FROM orders o WHERE o.refunded_minor <> (
          SELECT coalesce(sum(r.amount_minor), 0) FROM refund r
          WHERE r.order_id = o.id AND jsonb_array_length(r.items) > 0))::int AS "orders whose refunds do not add up",
       (SELECT count(*) FROM orders WHERE status = 'pending_stock')::int AS "pending stock",
       (SELECT count(*) FROM orders o WHERE (o.status IN ('paid', 'shipped', 'completed', 'refunded')) <>
          EXISTS (SELECT FROM payment p WHERE p.order_id = o.id AND p.status = 'paid'))::int AS "paid without payment"`;

@Controller()
export class OrderFacts {
  constructor(private readonly database: OrderDatabase) {}

  @HandleRequest(getFacts('order'))
  async facts() {
    const entries = Object.entries(SETS).map(
      async ([name, query]) => [name, await idSet(this.database, query)] as const,
    );
    const sets = Object.fromEntries(await Promise.all(entries));
    const [figures] = (await this.database.query(FIGURES)) as [Record<string, number>];
    return { sets, figures };
  }
}
