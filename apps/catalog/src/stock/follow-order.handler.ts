import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import {
  OrderCancelled,
  OrderPaid,
  OrderPlaced,
  OrderRefunded,
  StockRejected,
  StockReserved,
} from '#contracts';
import { Handle, Outbox, traceparentOf } from '#messaging';
import { allocate, type StockedProduct } from './allocate.js';

// Stock is moved by one batch at a time: a batch locks rows in several steps, and two could deadlock.
const ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('stock'))";

const LOCK_PRODUCTS = `
SELECT p.sku, s.available::float8 AS available, p.price_minor::float8 AS "priceMinor", p.currency
FROM product p JOIN stock s USING (sku) WHERE p.sku = ANY($1) FOR UPDATE OF s`;

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
FROM totals t WHERE s.sku = t.sku`;

// What comes back was sold: the order was paid before, and this subscription has heard so.
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

/** Moves ordinary stock as its orders go. One subscription, so an order is never cancelled before it was placed. */
@Controller()
export class StockFollowsOrder {
  constructor(private readonly outbox: Outbox) {}

  @Handle(OrderPlaced, { name: 'catalog.stock-follows-order', batch: 200 })
  async reserve(events: readonly OrderPlaced[], tx: EntityManager): Promise<void> {
    const orders = events.filter(isOrdinary);
    if (orders.length === 0) return;
    await tx.query(ONE_AT_A_TIME);
    const skus = [...new Set(orders.flatMap(order => order.items.map(item => item.sku)))];
    const products = (await tx.query(LOCK_PRODUCTS, [skus])) as StockedProduct[];
    const { reserved, rejected, taken } = allocate(orders, products);
    const holds = reserved.flatMap(({ orderId, items }) =>
      items.map(item => ({ ...item, order_id: orderId })),
    );
    await tx.query(TAKE, [JSON.stringify([...taken].map(([sku, quantity]) => ({ sku, quantity })))]);
    await tx.query(HOLD, [JSON.stringify(holds)]);
    const traces = new Map(orders.map(order => [order.orderId, traceparentOf(order)]));
    const traceparents = (of: readonly { orderId: string }[]) => of.map(({ orderId }) => traces.get(orderId));
    await this.outbox.publish(tx, StockReserved, reserved, { traceparents: traceparents(reserved) });
    await this.outbox.publish(tx, StockRejected, rejected, { traceparents: traceparents(rejected) });
  }

  @Handle(OrderPaid, { name: 'catalog.stock-follows-order', batch: 200 })
  async sell(events: readonly OrderPaid[], tx: EntityManager): Promise<void> {
    const orders = events.filter(isOrdinary).map(event => event.orderId);
    if (orders.length === 0) return;
    await tx.query(ONE_AT_A_TIME);
    await tx.query(SELL, [orders]);
  }

  @Handle(OrderCancelled, { name: 'catalog.stock-follows-order', batch: 200 })
  async release(events: readonly OrderCancelled[], tx: EntityManager): Promise<void> {
    const orders = events.filter(isOrdinary).map(event => event.orderId);
    if (orders.length === 0) return;
    await tx.query(ONE_AT_A_TIME);
    await tx.query(RELEASE, [orders]);
  }

  @Handle(OrderRefunded, { name: 'catalog.stock-follows-order', batch: 200 })
  async takeBack(events: readonly OrderRefunded[], tx: EntityManager): Promise<void> {
    const rows = events
      .filter(isOrdinary)
      .flatMap(({ refundId, orderId, items }) =>
        items.map(({ sku, quantity }) => ({ refund_id: refundId, order_id: orderId, sku, quantity })),
      );
    if (rows.length === 0) return;
    await tx.query(ONE_AT_A_TIME);
    await tx.query(TAKE_BACK, [JSON.stringify(rows)]);
  }
}

function isOrdinary(event: { origin: { kind: string } }): boolean {
  return event.origin.kind === 'ordinary';
}
