import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, In } from 'typeorm';
import { Outbox, Timers } from '#messaging';
import { OrderCancelled, PaymentDue } from '#contracts';
import { OrderNotFound, WrongOrderState } from '../order.errors.js';
import { Order, type OrderStatus } from '../order.entity.js';

const CANCELLABLE: readonly OrderStatus[] = ['pending_stock', 'awaiting_payment'];

const EXPIRE = `
UPDATE orders SET status = 'cancelled', reason = 'unpaid', cancelled_at = now()
WHERE id = ANY($1::uuid[]) AND status = 'awaiting_payment' RETURNING id`;

/** Cancels orders that are not paid. A racing payment either wins or is refunded; see payment/. */
@Injectable()
export class CancelOrderUseCase {
  constructor(
    private readonly database: DataSource,
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
      await this.outbox.publish(tx, OrderCancelled, order.toCancelledEvent());
      return order;
    });
  }

  /** Cancels those that are still unpaid, in the caller's transaction. */
  async expire(tx: EntityManager, orderIds: readonly string[]): Promise<void> {
    const [expired] = (await tx.query(EXPIRE, [orderIds])) as [{ id: string }[]];
    if (expired.length === 0) return;
    const orders = await tx.findBy(Order, { id: In(expired.map(row => row.id)) });
    const events = orders.map(order => order.toCancelledEvent());
    await this.outbox.publish(tx, OrderCancelled, events);
  }
}
