import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Handle } from '#messaging';
import { report, told } from '../frame/inside.js';
import { startApp } from '../frame/nest-app.js';
import { askTheWarehouse } from './ask-once.js';
import { APPLY, GROUP, priceChanged, type PriceChanged } from './price-changed.js';

const PriceChanged = priceChanged(told('LAB_TOPIC'));

// #region ours
@Controller()
export class FollowPricesHandler {
  @Handle(PriceChanged, { name: GROUP, retry: { firstMs: 50, longestMs: 500 } })
  async follow(change: PriceChanged, tx: EntityManager): Promise<void> {
    await askTheWarehouse(change); // throws: this change is parked, and later ones of its product line up behind it
    await tx.query(APPLY, [change.sku, change.version]);
    await report({ kind: 'applied' });
  }
}
// #endregion

await startApp('consumer', { controllers: [FollowPricesHandler] });
await report({ kind: 'ready' });
