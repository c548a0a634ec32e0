import { z } from 'zod';
import { defineRequest } from '#messaging/message';
import { BuyerId, Currency, Id, Instant, MinorUnits, Price, Quantity, Sku, Text } from '../values.js';
import { BucketCapacity, TokenRate } from './flow.js';

/**
 * How a campaign takes clicks. `async`: decided at once, in batches, everything else later. `queue`: the click itself waits
 * on a queue. `sync`: the naive way, everything while the buyer waits; for experiments alone.
 */
export const CampaignMode = z.enum(['async', 'queue', 'sync']);
export type CampaignMode = z.output<typeof CampaignMode>;

export const CampaignView = z.object({
  campaignId: Id,
  sku: Sku,
  mode: CampaignMode,
  stock: z.int(),
  available: z.int(),
  reserved: z.int(),
  sold: z.int(),
  perUserLimit: z.int(),
  priceMinor: MinorUnits,
  currency: Currency,
  startsAt: Instant,
  endsAt: Instant,
  /** Seconds that a buyer has to pay. */
  paymentWindow: z.int(),
});
export type CampaignView = z.output<typeof CampaignView>;

export const CreateCampaign = defineRequest({
  type: 'seckill.create-campaign.v1',
  schema: z.object({
    campaignId: Id,
    sku: Sku,
    stock: Quantity,
    perUserLimit: Quantity,
    priceMinor: Price,
    currency: Currency,
    startsAt: Instant,
    endsAt: Instant,
    mode: CampaignMode,
    paymentWindow: z
      .int()
      .min(1)
      .max(7 * 86_400),
    /** The campaign's token bucket; without it, clicks are not limited. */
    ratePerSecond: TokenRate.optional(),
    capacity: BucketCapacity.optional(),
  }),
  reply: CampaignView,
});

export const GetCampaign = defineRequest({
  type: 'seckill.get-campaign.v1',
  schema: z.object({ campaignId: Id }),
  reply: CampaignView,
});

export const ListCampaigns = defineRequest({
  type: 'seckill.list-campaigns.v1',
  schema: z.object({ limit: z.int().min(1).max(200) }),
  reply: z.object({ campaigns: z.array(CampaignView) }),
});

/** One click. The caller chooses the ids, so asking again after a lost answer counts as the same click. */
export const Click = z.object({
  reservationId: Id,
  orderId: Id,
  buyerId: BuyerId,
  quantity: Quantity,
  traceparent: Text.max(55).optional(),
});
export type Click = z.output<typeof Click>;

export const REFUSALS = [
  'sold_out',
  'limit_reached',
  'risk_rejected',
  'ended',
  'not_started',
  'unknown_campaign',
  'busy',
  'expired',
] as const;

/** The decision on a click: `reserved`, or the reason for the refusal. */
export const Decision = z.enum(['reserved', ...REFUSALS]);
export type Decision = z.output<typeof Decision>;

export const MAX_CLICKS = 500;

/**
 * Clicks of the same moment on one campaign, decided together. The reply has one decision per click, in
 * order.
 */
export const ReserveStock = defineRequest({
  type: 'seckill.reserve.v1',
  schema: z.object({
    campaignId: Id,
    clicks: z.array(Click).min(1).max(MAX_CLICKS),
    again: z.boolean(),
    /** By the clock of the flash sale's database, in ms since 1970: a click that is not decided by then is dropped. */
    deadline: z.number().nonnegative().optional(),
  }),
  reply: z.object({
    decisions: z.array(Decision),
    /** The time by that clock; absent when no click had to be decided there. */
    now: z.number().optional(),
    /** Nothing was left after these decisions: what `seckill.sold-out` tells, for a caller that has not heard it. */
    soldOut: z.object({ version: z.int(), endsAt: Instant }).optional(),
  }),
});

/** The time by the clock of the flash sale's database, in ms since 1970. */
export const TellTime = defineRequest({
  type: 'seckill.tell-time.v1',
  schema: z.object({}),
  reply: z.object({ now: z.number() }),
});

export const BlockBuyer = defineRequest({
  type: 'seckill.block-buyer.v1',
  schema: z.object({ buyerId: BuyerId, reason: Text.min(1).max(200) }),
  reply: z.object({ buyerId: BuyerId }),
});
