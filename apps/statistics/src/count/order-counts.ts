import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { OrderPaid } from '#contracts';

const COUNT = 'INSERT INTO order_count (cause_id, stage) SELECT unnest($1::uuid[]), $2';

const SELL = `
INSERT INTO sales_minute AS s (minute, currency, paid, sales_minor, items)
SELECT date_trunc('minute', at), currency, count(*), sum(total), sum(items)
FROM json_to_recordset($1::json) AS o(at timestamptz, currency text, total bigint, items bigint)
GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (minute, currency) DO UPDATE
SET paid = s.paid + excluded.paid, sales_minor = s.sales_minor + excluded.sales_minor, items = s.items + excluded.items`;

export type Stage = 'placed' | 'paid' | 'cancelled' | 'refunded';

/** Orders by the stages that they have reached, and sales by the minute. */
@Injectable()
export class OrderCounts {
  /** @param causeIds what reached the stage: orders, or refunds of them. Each is counted once. */
  async count(tx: EntityManager, stage: Stage, causeIds: readonly string[]): Promise<void> {
    await tx.query(COUNT, [causeIds, stage]);
  }

  async sell(tx: EntityManager, orders: readonly OrderPaid[]): Promise<void> {
    const sales = orders.map(({ paidAt, currency, totalMinor, items }) => ({
      at: paidAt,
      currency,
      total: totalMinor,
      items: items.reduce((total, item) => total + item.quantity, 0),
    }));
    await tx.query(SELL, [JSON.stringify(sales)]);
  }
}
