import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OrderCancelled, OrderPaid, OrderRefunded, SeckillRestocked } from '#contracts';
import { Handle, type HandleOptions, Outbox } from '#messaging';
import { CampaignStock } from './campaign-stock.js';

const FOLLOW_ORDER = { name: 'seckill.follow-order', batch: 500 } as const satisfies HandleOptions;

/** Moves campaign stock as its orders change: sold when paid, available again when cancelled or refunded. */
@Controller()
export class MoveCampaignStockHandler {
  constructor(
    private readonly stock: CampaignStock,
    private readonly outbox: Outbox,
  ) {}

  @Handle(OrderPaid, FOLLOW_ORDER)
  async sell(events: readonly OrderPaid[], tx: EntityManager): Promise<void> {
    const orders = ordersOf(events);
    if (orders.length > 0) await this.stock.sell(tx, orders);
  }

  @Handle(OrderCancelled, FOLLOW_ORDER)
  async giveBackCancelled(events: readonly OrderCancelled[], tx: EntityManager): Promise<void> {
    await this.release(ordersOf(events), tx);
  }

  @Handle(OrderRefunded, FOLLOW_ORDER)
  async giveBackRefunded(events: readonly OrderRefunded[], tx: EntityManager): Promise<void> {
    await this.release(ordersOf(events), tx);
  }

  private async release(orders: readonly string[], tx: EntityManager): Promise<void> {
    if (orders.length === 0) return;
    await this.outbox.publish(tx, SeckillRestocked, await this.stock.release(tx, orders));
  }
}

function ordersOf(events: readonly (OrderPaid | OrderCancelled | OrderRefunded)[]): string[] {
  return events.filter(event => event.origin.kind === 'seckill').map(event => event.orderId);
}
