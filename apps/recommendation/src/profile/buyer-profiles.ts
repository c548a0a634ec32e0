import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { OrderPaid, ProductViewed } from '#contracts';
import { pairsOf } from './pairs.js';

const NOTE_ORDERS = 'INSERT INTO profiled_order SELECT unnest($1::uuid[])';

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

/** What buyers bought and looked at, and what was bought together. */
@Injectable()
export class BuyerProfiles {
  async bought(tx: EntityManager, orders: readonly OrderPaid[]): Promise<void> {
    await tx.query(NOTE_ORDERS, [orders.map(order => order.orderId)]);
    const items = orders.flatMap(({ buyerId, items, paidAt }) =>
      items.map(({ sku, quantity }) => ({ buyer_id: buyerId, sku, bought: quantity, viewed: 0, at: paidAt })),
    );
    await tx.query(REMEMBER, [JSON.stringify(items)]);
    await tx.query(PAIR, [JSON.stringify(pairsOf(orders))]);
  }

  async viewed(tx: EntityManager, views: readonly ProductViewed[]): Promise<void> {
    const items = views.map(({ buyerId, sku, viewedAt }) => ({
      buyer_id: buyerId,
      sku,
      bought: 0,
      viewed: 1,
      at: viewedAt,
    }));
    await tx.query(REMEMBER, [JSON.stringify(items)]);
  }
}
