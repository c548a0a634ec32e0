import { z } from 'zod';
import { defineEvent, type EventOf } from '#messaging/message';
import { BuyerId, Currency, Id, Instant, MinorUnits, Quantity, Sku, Text } from '../values.js';
import { Click } from './requests.js';

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

/** A click that waits on the queue for its decision. The clicks of a campaign are decided in their order. */
export const SeckillRequested = defineEvent({
  type: 'seckill.requested.v1',
  topic: 'seckill-request',
  key: event => event.campaignId,
  schema: z.object({
    campaignId: Id,
    click: Click,
    /** By the clock of the flash sale's database, in ms since 1970: what is not decided by then is dropped. */
    deadline: z.number().nonnegative(),
    /** `host:port` of the gateway that waits for the decision. */
    replyTo: Text.max(300),
  }),
});
export type SeckillRequested = EventOf<typeof SeckillRequested>;

/** The subscription that decides the clicks on the queue. */
export const DECIDE_REQUESTED = 'seckill.decide-requested';
