import { Controller } from '@nestjs/common';
import { getFacts, listDeadLetters } from '#contracts';
import { HandleRequest, idSet, MessagingMonitor, type RequestOf } from '#messaging';
import { OrderDatabase } from '../order.database.js';

const SETS = {
  placed: 'SELECT id FROM orders',
  'reservations ordered': "SELECT reservation_id AS id FROM orders WHERE origin = 'seckill'",
  'ever paid': 'SELECT id FROM orders WHERE paid_at IS NOT NULL',
  'ordinary priced': "SELECT id FROM orders WHERE origin = 'ordinary' AND priced_at IS NOT NULL",
  refunded: 'SELECT id FROM orders WHERE refunded_at IS NOT NULL',
  cancelled: 'SELECT id FROM orders WHERE cancelled_at IS NOT NULL',
  'seckill given up':
    "SELECT id FROM orders WHERE origin = 'seckill' AND status IN ('cancelled', 'refunded')",
  'seckill kept':
    "SELECT id FROM orders WHERE origin = 'seckill' AND status NOT IN ('cancelled', 'refunded')",
  'ordinary given up':
    "SELECT id FROM orders WHERE origin = 'ordinary' AND status IN ('cancelled', 'refunded') AND priced_at IS NOT NULL",
} as const;

const FIGURES = `
SELECT (SELECT count(*) FROM payment WHERE status = 'refund_due')::int AS "refunds due",
       (SELECT count(*) FROM payment WHERE status IN ('paid', 'refund_due', 'refunded'))::int AS "payments taken",
       (SELECT count(*) FROM payment WHERE status = 'refunded')::int AS "payments given back",
       (SELECT count(*) FROM orders WHERE status = 'pending_stock')::int AS "pending stock",
       (SELECT count(*) FROM orders o WHERE (o.status IN ('paid', 'shipped', 'completed')) <>
          EXISTS (SELECT FROM payment p WHERE p.order_id = o.id AND p.status = 'paid'))::int AS "paid without payment"`;

@Controller()
export class OrderFacts {
  constructor(
    private readonly database: OrderDatabase,
    private readonly monitor: MessagingMonitor,
  ) {}

  @HandleRequest(getFacts('order'))
  async facts() {
    const entries = Object.entries(SETS).map(
      async ([name, query]) => [name, await idSet(this.database, query)] as const,
    );
    const sets = Object.fromEntries(await Promise.all(entries));
    const [figures] = (await this.database.query(FIGURES)) as [Record<string, number>];
    return { sets, figures, ...(await this.monitor.facts()) };
  }

  @HandleRequest(listDeadLetters('order'))
  async deadLetters({ limit }: RequestOf<ReturnType<typeof listDeadLetters>>) {
    return { deadLetters: await this.monitor.deadLetters(limit) };
  }
}
