import { z } from 'zod';
import { defineEvent, type EventOf } from '#messaging/message';
import { BuyerId, Currency, Id, Instant, MinorUnits, Quantity, Sku } from '../values.js';

/** Campaign stock is locked for a buyer; the order follows. */
export const SeckillReserved = defineEvent({
  type: 'seckill.reserved.v1',
  topic: 'seckill',
  key: event => event.reservationId,
  schema: z.object({
    reservationId: Id,
    orderId: Id,
    campaignId: Id,
    buyerId: BuyerId,
    sku: Sku,
    quantity: Quantity,
    unitPriceMinor: MinorUnits,
    currency: Currency,
    reservedAt: Instant,
    payBy: Instant,
  }),
});
export type SeckillReserved = EventOf<typeof SeckillReserved>;

/** The campaign is sold out. If this event and a restock cross, the one with the higher version is right. */
export const SeckillSoldOut = defineEvent({
  type: 'seckill.sold-out.v1',
  topic: 'seckill-campaign',
  key: event => event.campaignId,
  schema: z.object({ campaignId: Id, version: z.int(), endsAt: Instant }),
});
export type SeckillSoldOut = EventOf<typeof SeckillSoldOut>;

/** The campaign has stock again. */
export const SeckillRestocked = defineEvent({
  type: 'seckill.restocked.v1',
  topic: 'seckill-campaign',
  key: event => event.campaignId,
  schema: z.object({ campaignId: Id, version: z.int() }),
});
export type SeckillRestocked = EventOf<typeof SeckillRestocked>;
