import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OrderCancelled, PaymentDue, StockRejected, StockReserved } from '#contracts';
import { Handle, type HandleOptions, Outbox, Timers } from '#messaging';
import { OrderPrices } from './order-prices.js';

const FOLLOW_STOCK = { name: 'order.follow-stock', batch: 200 } as const satisfies HandleOptions;

/** Handles the catalog's report on an ordinary order's stock: its prices, or a rejection. */
@Controller()
export class PriceOrderHandler {
  constructor(
    private readonly prices: OrderPrices,
    private readonly outbox: Outbox,
    private readonly timers: Timers,
  ) {}

  @Handle(StockReserved, FOLLOW_STOCK)
  async price(events: readonly StockReserved[], tx: EntityManager): Promise<void> {
    const payable = await this.prices.price(tx, events);
    const due = payable.map(({ orderId, payBy }) => ({ event: { orderId }, dueAt: payBy }));
    await this.timers.schedule(tx, PaymentDue, due);
  }

  @Handle(StockRejected, FOLLOW_STOCK)
  async reject(events: readonly StockRejected[], tx: EntityManager): Promise<void> {
    const cancelled = await this.prices.reject(tx, events);
    const told = cancelled.map(order => order.toCancelledEvent());
    await this.outbox.publish(tx, OrderCancelled, told);
  }
}
