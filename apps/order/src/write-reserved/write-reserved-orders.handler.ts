import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Handle, Outbox, Timers, traceparentOf } from '#messaging';
import { OrderPlaced, PaymentDue, SeckillReserved } from '#contracts';
import { ReservedOrders } from './reserved-orders.js';

/** Writes the orders of a flash sale, some milliseconds after their buyers got their answers. */
@Controller()
export class WriteReservedOrdersHandler {
  constructor(
    private readonly orders: ReservedOrders,
    private readonly outbox: Outbox,
    private readonly timers: Timers,
  ) {}

  @Handle(SeckillReserved, { name: 'order.write-reserved', batch: 500 })
  async write(events: readonly SeckillReserved[], tx: EntityManager): Promise<void> {
    await this.orders.write(tx, events);
    await this.timers.schedule(
      tx,
      PaymentDue,
      events.map(({ orderId, payBy }) => ({ event: { orderId }, dueAt: new Date(payBy) })),
    );
    await this.outbox.publish(tx, OrderPlaced, events.map(toPlaced), {
      traceparents: events.map(traceparentOf),
    });
  }
}

function toPlaced(event: SeckillReserved): OrderPlaced {
  const { orderId, buyerId, campaignId, reservationId, sku, quantity, reservedAt } = event;
  return {
    orderId,
    buyerId,
    origin: { kind: 'seckill', campaignId, reservationId },
    items: [{ sku, quantity }],
    placedAt: reservedAt,
  };
}
