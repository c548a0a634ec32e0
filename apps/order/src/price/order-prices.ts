import { Inject, Injectable } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';
import type { StockRejected, StockReserved } from '#contracts';
import { SERVICE_CONFIG } from '#service-kit';
import type { OrderConfig } from '../order.config.js';
import { Order, type OrderStatus } from '../order.entity.js';

// An order that was cancelled meanwhile stays cancelled but is still priced: the catalog held stock for it,
// and the cancellation event releases that stock. The catalog sets the prices alone: what was ordered stays, so that
// an audit can compare it with what the catalog holds.
const PRICE = `
UPDATE orders o
SET status = CASE o.status WHEN 'pending_stock' THEN 'awaiting_payment' ELSE o.status END,
    items = (
      SELECT jsonb_agg(i || jsonb_build_object('unitPriceMinor', priced->'unitPriceMinor') ORDER BY n)
      FROM jsonb_array_elements(o.items) WITH ORDINALITY AS line(i, n)
      LEFT JOIN jsonb_array_elements(p.items) AS priced ON priced->>'sku' = i->>'sku'),
    total_minor = p.total_minor, currency = p.currency,
    priced_at = now(), pay_by = now() + make_interval(secs => $2)
FROM json_to_recordset($1::json) AS p(id uuid, items jsonb, total_minor bigint, currency text)
WHERE o.id = p.id AND o.priced_at IS NULL
RETURNING o.id, o.pay_by, o.status`;

const REJECT = `
UPDATE orders o SET status = 'cancelled', reason = r.reason, cancelled_at = now()
FROM json_to_recordset($1::json) AS r(id uuid, reason text)
WHERE o.id = r.id AND o.status = 'pending_stock'
RETURNING o.id`;

/** An order that its buyer can pay now, and until when. */
export interface Payable {
  readonly orderId: string;
  readonly payBy: Date;
}

/** Prices or cancels ordinary orders, as the catalog reports. */
@Injectable()
export class OrderPrices {
  constructor(@Inject(SERVICE_CONFIG) private readonly config: OrderConfig) {}

  /** @returns the orders that can be paid now */
  async price(tx: EntityManager, reserved: readonly StockReserved[]): Promise<Payable[]> {
    const rows = reserved.map(({ orderId, items, totalMinor, currency }) => ({
      id: orderId,
      items,
      total_minor: totalMinor,
      currency,
    }));
    const [priced] = (await tx.query(PRICE, [JSON.stringify(rows), this.config.ORDER_PAYMENT_WINDOW])) as [
      { id: string; pay_by: Date; status: OrderStatus }[],
    ];
    return priced
      .filter(({ status }) => status === 'awaiting_payment')
      .map(({ id, pay_by }) => ({ orderId: id, payBy: pay_by }));
  }

  /** @returns the orders that this cancelled */
  async reject(tx: EntityManager, rejected: readonly StockRejected[]): Promise<Order[]> {
    const rows = rejected.map(({ orderId, reason }) => ({ id: orderId, reason }));
    const [cancelled] = (await tx.query(REJECT, [JSON.stringify(rows)])) as [{ id: string }[]];
    return cancelled.length === 0 ? [] : tx.findBy(Order, { id: In(cancelled.map(row => row.id)) });
  }
}
