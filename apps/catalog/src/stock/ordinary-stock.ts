import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { OrderRefunded } from '#contracts';
import { ProductNews } from '../news/product-news.js';
import { allocate, type StockedProduct } from './allocate.js';

// Only one batch at a time moves stock: a batch locks rows in several steps, so two could deadlock.
const ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('stock'))";

const LOCK_PRODUCTS = `
SELECT p.sku, s.available::float8 AS available, least(p.price_minor, o.price_minor)::float8 AS "priceMinor", p.currency
FROM product p JOIN stock s USING (sku)
LEFT JOIN product_promotion o ON o.sku = p.sku AND o.currency = p.currency WHERE p.sku = ANY($1) FOR UPDATE OF s`;

const TAKE = `
UPDATE stock s SET available = available - t.quantity, reserved = reserved + t.quantity
FROM json_to_recordset($1::json) AS t(sku text, quantity bigint) WHERE s.sku = t.sku`;

const HOLD = `
INSERT INTO stock_hold (order_id, sku, quantity, status)
SELECT order_id, sku, quantity, 'reserved'
FROM json_to_recordset($1::json) AS h(order_id uuid, sku text, quantity int)`;

const SELL = `
WITH sold AS (
  UPDATE stock_hold SET status = 'sold' WHERE order_id = ANY($1::uuid[]) AND status = 'reserved'
  RETURNING sku, quantity
), totals AS (SELECT sku, sum(quantity) AS quantity FROM sold GROUP BY sku)
UPDATE stock s SET reserved = reserved - t.quantity, sold = sold + t.quantity FROM totals t WHERE s.sku = t.sku`;

const RELEASE = `
WITH given_back AS (
  UPDATE stock_hold SET status = 'released' WHERE order_id = ANY($1::uuid[]) AND status = 'reserved'
  RETURNING sku, quantity
), totals AS (SELECT sku, sum(quantity) AS quantity FROM given_back GROUP BY sku)
UPDATE stock s SET available = available + t.quantity, reserved = reserved - t.quantity
FROM totals t WHERE s.sku = t.sku RETURNING s.sku`;

// Returned items were sold: this subscription has already handled the payment of their order.
const TAKE_BACK = `
WITH back AS (
  INSERT INTO stock_return (refund_id, sku, order_id, quantity)
  SELECT refund_id, sku, order_id, quantity
  FROM json_to_recordset($1::json) AS r(refund_id uuid, sku text, order_id uuid, quantity int)
  RETURNING sku, order_id, quantity
), holds AS (
  UPDATE stock_hold h SET returned = h.returned + b.quantity
  FROM (SELECT order_id, sku, sum(quantity) AS quantity FROM back GROUP BY order_id, sku) AS b
  WHERE h.order_id = b.order_id AND h.sku = b.sku
)
UPDATE stock s SET available = available + b.quantity, sold = sold - b.quantity
FROM (SELECT sku, sum(quantity) AS quantity FROM back GROUP BY sku) AS b WHERE s.sku = b.sku`;

type Orders = Parameters<typeof allocate>[0];

/** The stock of ordinary orders, moved a batch at a time in the caller's transaction. */
@Injectable()
export class OrdinaryStock {
  constructor(private readonly news: ProductNews) {}

  /** Reserves all the items of an order, or none of them. */
  async reserve(tx: EntityManager, orders: Orders): Promise<ReturnType<typeof allocate>> {
    await tx.query(ONE_AT_A_TIME);
    const skus = [...new Set(orders.flatMap(order => order.items.map(item => item.sku)))];
    const products = (await tx.query(LOCK_PRODUCTS, [skus])) as StockedProduct[];
    const allocation = allocate(orders, products);
    const holds = allocation.reserved.flatMap(({ orderId, items }) =>
      items.map(item => ({ ...item, order_id: orderId })),
    );
    const taken = [...allocation.taken].map(([sku, quantity]) => ({ sku, quantity }));
    await tx.query(TAKE, [JSON.stringify(taken)]);
    await tx.query(HOLD, [JSON.stringify(holds)]);
    await this.news.note(
      tx,
      taken.map(({ sku }) => sku),
    );
    return allocation;
  }

  /** Marks the stock reserved for the orders as sold. */
  async sell(tx: EntityManager, orderIds: readonly string[]): Promise<void> {
    await tx.query(ONE_AT_A_TIME);
    await tx.query(SELL, [orderIds]);
  }

  /** Makes the stock reserved for the orders available again. */
  async release(tx: EntityManager, orderIds: readonly string[]): Promise<void> {
    await tx.query(ONE_AT_A_TIME);
    const [released] = (await tx.query(RELEASE, [orderIds])) as [{ sku: string }[]];
    await this.news.note(
      tx,
      released.map(({ sku }) => sku),
    );
  }

  /** Makes returned items available again. */
  async takeBack(
    tx: EntityManager,
    refunds: readonly Pick<OrderRefunded, 'refundId' | 'orderId' | 'items'>[],
  ): Promise<void> {
    const rows = refunds.flatMap(({ refundId, orderId, items }) =>
      items.map(({ sku, quantity }) => ({ refund_id: refundId, order_id: orderId, sku, quantity })),
    );
    await tx.query(ONE_AT_A_TIME);
    await tx.query(TAKE_BACK, [JSON.stringify(rows)]);
    await this.news.note(
      tx,
      rows.map(({ sku }) => sku),
    );
  }
}
