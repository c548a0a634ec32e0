import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OrderPaid, ProductViewed } from '#contracts';
import { Handle } from '#messaging';
import { BuyerProfiles } from './buyer-profiles.js';

/** Learns what buyers look at and buy, and what is bought together. */
@Controller()
export class LearnProfileHandler {
  constructor(private readonly profiles: BuyerProfiles) {}

  @Handle(OrderPaid, { name: 'recommendation.learn-from-orders', batch: 100 })
  async learn(events: readonly OrderPaid[], tx: EntityManager): Promise<void> {
    await this.profiles.bought(tx, events);
  }

  @Handle(ProductViewed, { name: 'recommendation.learn-from-views', batch: 500 })
  async view(events: readonly ProductViewed[], tx: EntityManager): Promise<void> {
    await this.profiles.viewed(tx, events);
  }
}
