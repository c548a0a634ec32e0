import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OrderPaid, ProductViewed } from '#contracts';
import { Handle } from '#messaging';
import { pairsOf } from './pairs.js';

// Rows are written in the order of their keys, so that two batches cannot deadlock.
const REMEMBER = `
INSERT INTO buyer_item AS b (buyer_id, sku, bought, viewed, last_at)
SELECT buyer_id, sku, sum(bought), sum(viewed), max(at)
FROM json_to_recordset($1::json) AS i(buyer_id text, sku text, bought int, viewed int, at timestamptz)
GROUP BY buyer_id, sku ORDER BY buyer_id, sku
ON CONFLICT (buyer_id, sku) DO UPDATE
SET bought = b.bought + excluded.bought, viewed = b.viewed + excluded.viewed, last_at = greatest(b.last_at, excluded.last_at)`;

const PAIR = `
INSERT INTO bought_together AS b (sku, other, times)
SELECT sku, other, times FROM json_to_recordset($1::json) AS p(sku text, other text, times int) ORDER BY sku, other
ON CONFLICT (sku, other) DO UPDATE SET times = b.times + excluded.times`;

/** Learns what buyers look at and buy, and what is bought together. */
@Controller()
export class ProfileBuyers {
  @Handle(OrderPaid, { name: 'recommendation.learn-from-orders', batch: 100 })
  async learn(events: readonly OrderPaid[], tx: EntityManager): Promise<void> {
    await tx.query('INSERT INTO profiled_order SELECT unnest($1::uuid[])', [
      events.map(event => event.orderId),
    ]);
    const items = events.flatMap(({ buyerId, items, paidAt }) =>
      items.map(({ sku, quantity }) => ({ buyer_id: buyerId, sku, bought: quantity, viewed: 0, at: paidAt })),
    );
    await tx.query(REMEMBER, [JSON.stringify(items)]);
    await tx.query(PAIR, [JSON.stringify(pairsOf(events))]);
  }

  @Handle(ProductViewed, { name: 'recommendation.learn-from-views', batch: 500 })
  async view(events: readonly ProductViewed[], tx: EntityManager): Promise<void> {
    const items = events.map(({ buyerId, sku, viewedAt }) => ({
      buyer_id: buyerId,
      sku,
      bought: 0,
      viewed: 1,
      at: viewedAt,
    }));
    await tx.query(REMEMBER, [JSON.stringify(items)]);
  }
}
