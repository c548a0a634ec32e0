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
import { Handle, type HandleOptions, Outbox, traceparentOf } from '#messaging';
import { OrdinaryStock } from './ordinary-stock.js';

// One subscription, so that an order's cancellation is never handled before its placement.
const FOLLOW_ORDER = {
  name: 'catalog.stock-follows-order',
  batch: 200,
} as const satisfies HandleOptions;

/** Moves ordinary stock as its orders change state. */
@Controller()
export class MoveStockHandler {
  constructor(
    private readonly stock: OrdinaryStock,
    private readonly outbox: Outbox,
  ) {}

  @Handle(OrderPlaced, FOLLOW_ORDER)
  async reserve(events: readonly OrderPlaced[], tx: EntityManager): Promise<void> {
    const orders = events.filter(isOrdinary);
    if (orders.length === 0) return;
    const { reserved, rejected } = await this.stock.reserve(tx, orders);
    const traces = new Map(orders.map(order => [order.orderId, traceparentOf(order)]));
    const traceparents = (of: readonly { orderId: string }[]) => of.map(({ orderId }) => traces.get(orderId));
    await this.outbox.publish(tx, StockReserved, reserved, { traceparents: traceparents(reserved) });
    await this.outbox.publish(tx, StockRejected, rejected, { traceparents: traceparents(rejected) });
  }

  @Handle(OrderPaid, FOLLOW_ORDER)
  async sell(events: readonly OrderPaid[], tx: EntityManager): Promise<void> {
    const orders = events.filter(isOrdinary).map(event => event.orderId);
    if (orders.length > 0) await this.stock.sell(tx, orders);
  }

  @Handle(OrderCancelled, FOLLOW_ORDER)
  async release(events: readonly OrderCancelled[], tx: EntityManager): Promise<void> {
    const orders = events.filter(isOrdinary).map(event => event.orderId);
    if (orders.length > 0) await this.stock.release(tx, orders);
  }

  @Handle(OrderRefunded, FOLLOW_ORDER)
  async takeBack(events: readonly OrderRefunded[], tx: EntityManager): Promise<void> {
    const refunds = events.filter(isOrdinary);
    if (refunds.length > 0) await this.stock.takeBack(tx, refunds);
  }
}

function isOrdinary(event: { origin: { kind: string } }): boolean {
  return event.origin.kind === 'ordinary';
}
