import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OrderPlaced, ProductViewed } from '#contracts';
import { Handle, type HandleOptions } from '#messaging';
import { Interest } from './interest.js';

/** Whoever orders is more interested than who looks. */
const [PER_VIEW, PER_ORDER] = [1, 5];

// From now on: what happened before the window counts for nothing.
const COUNT = {
  name: 'recommendation.count-interest',
  batch: 500,
  startFrom: 'now',
} as const satisfies HandleOptions;

/** Counts what is looked at and ordered now. */
@Controller()
export class CountInterestHandler {
  constructor(private readonly interest: Interest) {}

  @Handle(ProductViewed, COUNT)
  async viewed(events: readonly ProductViewed[], tx: EntityManager): Promise<void> {
    await this.interest.count(
      tx,
      events.map(({ sku, viewedAt: at }) => ({ sku, points: PER_VIEW, at })),
    );
  }

  @Handle(OrderPlaced, COUNT)
  async ordered(events: readonly OrderPlaced[], tx: EntityManager): Promise<void> {
    await this.interest.count(
      tx,
      events.flatMap(({ items, placedAt: at }) => items.map(({ sku }) => ({ sku, points: PER_ORDER, at }))),
    );
  }
}
