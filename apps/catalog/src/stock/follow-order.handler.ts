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
  UPDATE stock_hold h SET status = 'released'
  FROM (SELECT order_id, sku, status FROM stock_hold
        WHERE order_id = ANY($1::uuid[]) AND status <> 'released' FOR UPDATE) AS old
  WHERE h.order_id = old.order_id AND h.sku = old.sku
  RETURNING h.sku, h.quantity, old.status AS was
), totals AS (
  SELECT sku, sum(quantity) AS quantity,
         coalesce(sum(quantity) FILTER (WHERE was = 'reserved'), 0) AS reserved,
         coalesce(sum(quantity) FILTER (WHERE was = 'sold'), 0) AS sold
  FROM given_back GROUP BY sku
)
UPDATE stock s SET available = available + t.quantity, reserved = s.reserved - t.reserved, sold = s.sold - t.sold
FROM totals t WHERE s.sku = t.sku`;

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
  async giveBackCancelled(events: readonly OrderCancelled[], tx: EntityManager): Promise<void> {
    await this.release(
      events.filter(isOrdinary).map(event => event.orderId),
      tx,
    );
  }

  @Handle(OrderRefunded, { name: 'catalog.stock-follows-order', batch: 200 })
  async giveBackRefunded(events: readonly OrderRefunded[], tx: EntityManager): Promise<void> {
    await this.release(
      events.filter(isOrdinary).map(event => event.orderId),
      tx,
    );
  }

  private async release(orders: readonly string[], tx: EntityManager): Promise<void> {
    if (orders.length === 0) return;
    await tx.query(ONE_AT_A_TIME);
    await tx.query(RELEASE, [orders]);
  }
}

function isOrdinary(event: { origin: { kind: string } }): boolean {
  return event.origin.kind === 'ordinary';
}
