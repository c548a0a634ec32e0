import { z } from 'zod';
import { defineRequest } from '#messaging/message';
import { BuyerId, Currency, Id, MinorUnits, Quantity, Sku } from '../values.js';

/**
 * The naive way to take a click: five steps one after the other while the buyer waits, each a transaction of its own in
 * another service. It is complete, and a crash between two steps leaves the rest undone. For experiments alone.
 */
const Click = z.object({ campaignId: Id, buyerId: BuyerId, quantity: Quantity });
const Bought = Click.extend({
  reservationId: Id,
  orderId: Id,
  sku: Sku,
  unitPriceMinor: MinorUnits,
  currency: Currency,
});
export type NaivelyBought = z.output<typeof Bought>;
const Done = z.object({});

/** Step 1. Refused: `risk_rejected`. */
export const NaiveCheckRisk = defineRequest({
  type: 'seckill.naive-check-risk.v1',
  schema: z.object({ buyerId: BuyerId }),
  reply: Done,
});

/** Step 2. Refused: `campaign_not_found`, `not_started`, `ended`, `limit_reached`, `sold_out`. */
export const NaiveTakeStock = defineRequest({
  type: 'seckill.naive-take-stock.v1',
  schema: Click.extend({ reservationId: Id, orderId: Id }),
  reply: Bought,
});

/** Step 3. */
export const NaiveWriteOrder = defineRequest({
  type: 'order.naive-write.v1',
  schema: Bought,
  reply: Done,
});

/** Step 4. */
export const NaiveSendText = defineRequest({
  type: 'notification.naive-send.v1',
  schema: Bought,
  reply: Done,
});

/** Step 5. */
export const NaiveCount = defineRequest({
  type: 'statistics.naive-count.v1',
  schema: Bought,
  reply: Done,
});

/** What a service has of each naive campaign: how many orders, and how many units in them. */
export const NaiveBooks = z.object({
  campaigns: z.array(z.object({ campaignId: Id, orders: z.int(), units: z.int() })),
});
export type NaiveBooks = z.output<typeof NaiveBooks>;

/** The services of the steps that leave something, in the order of the steps. */
export const NAIVE_STEPS = ['seckill', 'order', 'notification', 'statistics'] as const;

export const getNaiveBooks = (service: string) =>
  defineRequest({ type: `${service}.get-naive-books.v1`, schema: z.object({}), reply: NaiveBooks });
