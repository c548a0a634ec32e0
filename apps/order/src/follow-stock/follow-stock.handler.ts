import { Controller, Inject } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';
import { Handle, Outbox, Timers } from '#messaging';
import { OrderCancelled, PaymentDue, StockRejected, StockReserved } from '#contracts';
import { SERVICE_CONFIG } from '#service-kit';
import { toCancelledEvent } from '../cancel/cancel-order.js';
import type { OrderConfig } from '../order.config.js';
import { Order, type OrderStatus } from '../order.entity.js';

// An order cancelled meanwhile stays cancelled, and is priced all the same: the catalogue held stock for it, and
// the event that cancelled it gives that back.
const PRICE = `
UPDATE orders o
SET status = CASE o.status WHEN 'pending_stock' THEN 'awaiting_payment' ELSE o.status END,
    items = p.items, total_minor = p.total_minor, currency = p.currency,
    priced_at = now(), pay_by = now() + make_interval(secs => $2)
FROM json_to_recordset($1::json) AS p(id uuid, items jsonb, total_minor bigint, currency text)
WHERE o.id = p.id AND o.priced_at IS NULL
RETURNING o.id, o.pay_by, o.status`;

const REJECT = `
UPDATE orders o SET status = 'cancelled', reason = r.reason, cancelled_at = now()
FROM json_to_recordset($1::json) AS r(id uuid, reason text)
WHERE o.id = r.id AND o.status = 'pending_stock'
RETURNING o.id`;

/** What the catalogue says of an ordinary order's stock. */
@Controller()
export class FollowStock {
  constructor(
    private readonly outbox: Outbox,
    private readonly timers: Timers,
    @Inject(SERVICE_CONFIG) private readonly config: OrderConfig,
  ) {}

  @Handle(StockReserved, { name: 'order.follow-stock', batch: 200 })
  async price(events: readonly StockReserved[], tx: EntityManager): Promise<void> {
    const rows = events.map(({ orderId, items, totalMinor, currency }) => ({
      id: orderId,
      items,
      total_minor: totalMinor,
      currency,
    }));
    const [priced] = (await tx.query(PRICE, [JSON.stringify(rows), this.config.ORDER_PAYMENT_WINDOW])) as [
      { id: string; pay_by: Date; status: OrderStatus }[],
    ];
    const payable = priced.filter(({ status }) => status === 'awaiting_payment');
    await this.timers.schedule(
      tx,
      PaymentDue,
      payable.map(({ id, pay_by }) => ({ event: { orderId: id }, dueAt: pay_by })),
    );
  }

  @Handle(StockRejected, { name: 'order.follow-stock', batch: 200 })
  async reject(events: readonly StockRejected[], tx: EntityManager): Promise<void> {
    const rows = events.map(({ orderId, reason }) => ({ id: orderId, reason }));
    const [rejected] = (await tx.query(REJECT, [JSON.stringify(rows)])) as [{ id: string }[]];
    if (rejected.length === 0) return;
    const orders = await tx.findBy(Order, { id: In(rejected.map(row => row.id)) });
    await this.outbox.publish(tx, OrderCancelled, orders.map(toCancelledEvent));
  }
}
