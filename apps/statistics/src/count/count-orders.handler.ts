import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OrderCancelled, OrderPaid, OrderPlaced, OrderRefunded } from '#contracts';
import { Handle } from '#messaging';

const COUNT = 'INSERT INTO order_count (cause_id, stage) SELECT unnest($1::uuid[]), $2';

const SELL = `
INSERT INTO sales_minute AS s (minute, currency, paid, sales_minor, items)
SELECT date_trunc('minute', at), currency, count(*), sum(total), sum(items)
FROM json_to_recordset($1::json) AS o(at timestamptz, currency text, total bigint, items bigint)
GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (minute, currency) DO UPDATE
SET paid = s.paid + excluded.paid, sales_minor = s.sales_minor + excluded.sales_minor, items = s.items + excluded.items`;

/** Counts orders by stage and sales by minute. */
@Controller()
export class CountOrders {
  @Handle(OrderPlaced, { name: 'statistics.count-orders', batch: 500 })
  async placed(events: readonly OrderPlaced[], tx: EntityManager): Promise<void> {
    await count('placed', events, tx);
  }

  @Handle(OrderPaid, { name: 'statistics.count-orders', batch: 500 })
  async paid(events: readonly OrderPaid[], tx: EntityManager): Promise<void> {
    await count('paid', events, tx);
    const sales = events.map(({ paidAt, currency, totalMinor, items }) => ({
      at: paidAt,
      currency,
      total: totalMinor,
      items: items.reduce((total, item) => total + item.quantity, 0),
    }));
    await tx.query(SELL, [JSON.stringify(sales)]);
  }

  @Handle(OrderCancelled, { name: 'statistics.count-orders', batch: 500 })
  async cancelled(events: readonly OrderCancelled[], tx: EntityManager): Promise<void> {
    await count('cancelled', events, tx);
  }

  @Handle(OrderRefunded, { name: 'statistics.count-orders', batch: 500 })
  async refunded(events: readonly OrderRefunded[], tx: EntityManager): Promise<void> {
    await count(
      'refunded',
      events.map(event => ({ orderId: event.refundId })),
      tx,
    );
  }
}

async function count(
  stage: string,
  events: readonly { orderId: string }[],
  tx: EntityManager,
): Promise<void> {
  await tx.query(COUNT, [events.map(event => event.orderId), stage]);
}
