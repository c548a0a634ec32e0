import { Controller, Injectable } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';
import { Handle, Outbox, Timers } from '#messaging';
import { OrderCancelled, PaymentDue } from '#contracts';
import { OrderDatabase } from '../order.database.js';
import { OrderNotFound, WrongOrderState } from '../order.errors.js';
import { Order, type OrderStatus } from '../order.entity.js';

const CANCELLABLE: readonly OrderStatus[] = ['pending_stock', 'awaiting_payment'];

/** Cancels an order that is not paid. A payment that races with it wins or is given back; see pay/. */
@Injectable()
export class CancelOrderUseCase {
  constructor(
    private readonly database: OrderDatabase,
    private readonly outbox: Outbox,
    private readonly timers: Timers,
  ) {}

  /** @throws OrderNotFound, WrongOrderState */
  async cancel({ orderId, buyerId }: { orderId: string; buyerId: string }): Promise<Order> {
    return this.database.transaction(async tx => {
      const { affected } = await tx.update(
        Order,
        { id: orderId, buyerId, status: In(CANCELLABLE) },
        { status: 'cancelled', reason: 'buyer', cancelledAt: new Date() },
      );
      const order = await tx.findOneBy(Order, { id: orderId, buyerId });
      if (order === null) throw new OrderNotFound(orderId);
      if (affected === 0) throw new WrongOrderState(orderId, 'cancelled', order.status, CANCELLABLE);
      await this.timers.cancel(tx, PaymentDue, [orderId]);
      await this.outbox.publish(tx, OrderCancelled, toCancelledEvent(order));
      return order;
    });
  }
}

/** Cancels what was not paid in time. */
@Controller()
export class ExpireUnpaidOrders {
  constructor(private readonly outbox: Outbox) {}

  @Handle(PaymentDue, { name: 'order.expire-unpaid', batch: 200 })
  async expire(events: readonly PaymentDue[], tx: EntityManager): Promise<void> {
    const [expired] = (await tx.query(
      `UPDATE orders SET status = 'cancelled', reason = 'unpaid', cancelled_at = now()
       WHERE id = ANY($1::uuid[]) AND status = 'awaiting_payment' RETURNING id`,
      [events.map(event => event.orderId)],
    )) as [{ id: string }[]];
    if (expired.length === 0) return;
    const orders = await tx.findBy(Order, { id: In(expired.map(row => row.id)) });
    await this.outbox.publish(tx, OrderCancelled, orders.map(toCancelledEvent));
  }
}

export function toCancelledEvent(order: Order): OrderCancelled {
  return {
    orderId: order.id,
    buyerId: order.buyerId,
    origin: order.originOfOrder,
    items: order.items.map(({ sku, quantity }) => ({ sku, quantity })),
    reason: order.reason as OrderCancelled['reason'],
    cancelledAt: order.cancelledAt!.toISOString(),
  };
}
