import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OrderCancelled, OrderPaid, OrderPlaced, OrderRefunded } from '#contracts';
import { Handle, type HandleOptions } from '#messaging';
import { OrderCounts } from './order-counts.js';

const COUNT_ORDERS = { name: 'statistics.count-orders', batch: 500 } as const satisfies HandleOptions;

/** Counts orders by stage and sales by minute. */
@Controller()
export class CountOrdersHandler {
  constructor(private readonly counts: OrderCounts) {}

  @Handle(OrderPlaced, COUNT_ORDERS)
  async placed(events: readonly OrderPlaced[], tx: EntityManager): Promise<void> {
    await this.counts.count(tx, 'placed', events.map(orderIdOf));
  }

  @Handle(OrderPaid, COUNT_ORDERS)
  async paid(events: readonly OrderPaid[], tx: EntityManager): Promise<void> {
    await this.counts.count(tx, 'paid', events.map(orderIdOf));
    await this.counts.sell(tx, events);
  }

  @Handle(OrderCancelled, COUNT_ORDERS)
  async cancelled(events: readonly OrderCancelled[], tx: EntityManager): Promise<void> {
    await this.counts.count(tx, 'cancelled', events.map(orderIdOf));
  }

  @Handle(OrderRefunded, COUNT_ORDERS)
  async refunded(events: readonly OrderRefunded[], tx: EntityManager): Promise<void> {
    const refunds = events.map(event => event.refundId);
    await this.counts.count(tx, 'refunded', refunds);
  }
}

function orderIdOf({ orderId }: { orderId: string }): string {
  return orderId;
}
