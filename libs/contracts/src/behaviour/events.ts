import { z } from 'zod';
import { defineEvent, type EventOf } from '#messaging/message';
import { BuyerId, Instant, Sku } from '../values.js';

export const ProductViewed = defineEvent({
  type: 'behaviour.product-viewed.v1',
  topic: 'behaviour',
  key: event => event.buyerId,
  schema: z.object({ buyerId: BuyerId, sku: Sku, viewedAt: Instant }),
});
export type ProductViewed = EventOf<typeof ProductViewed>;
