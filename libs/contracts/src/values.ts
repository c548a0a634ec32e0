import { z } from 'zod';
import { Id } from '#messaging/message';

export { Id, Instant, Moment, Text } from '#messaging/message';
export { CURRENCIES, Currency, exponentOf, formatMoney, toMinor } from './money.js';

/** Money in the currency's minor unit, such as pence. */
export const MinorUnits = z.int().nonnegative();
/** The highest unit price and the largest quantity of one SKU. Their product is still an exact number. */
export const MAX_PRICE_MINOR = 1_000_000_000;
export const MAX_QUANTITY = 1_000_000;
/** The most lines in one order. Wholesale invoices have over a thousand. */
export const MAX_LINES = 2_000;
export const Price = MinorUnits.max(MAX_PRICE_MINOR);
export const Quantity = z.int().positive().max(MAX_QUANTITY);
/** `<store>.<code>`, such as `uk.85123A`. */
export const Sku = z
  .string()
  .regex(/^[a-z0-9-]{1,32}\.[A-Za-z0-9_-]{1,64}$/, 'a SKU is <store>.<code>, such as uk.85123A');
export const BuyerId = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'a user id is 1 to 64 characters: A–Z, a–z, 0–9, ., _ or -');
/** A count, or a place in a list, that PostgreSQL keeps as integer. */
export const Count = z.int().min(0).max(2_147_483_647);
/** The most units of one SKU in stock. */
export const MAX_STOCK = 1_000_000_000;
export const Stock = z.int().min(0).max(MAX_STOCK);
/** A sum of amounts or counts: a number while that is exact, else its decimal digits. */
export const Sum = z.union([z.int(), z.string().regex(/^-?[1-9]\d{15,37}$/)]);
export type Sum = z.output<typeof Sum>;

/** @param digits a whole number as PostgreSQL writes it */
export function toSum(digits: string): Sum {
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : digits;
}

export const OrderItem = z.object({ sku: Sku, quantity: Quantity });
export type OrderItem = z.output<typeof OrderItem>;

export const PricedItem = OrderItem.extend({ unitPriceMinor: MinorUnits });
export type PricedItem = z.output<typeof PricedItem>;

/** Where an order came from, and the campaign it came from if it was a flash sale. */
export const OrderOrigin = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ordinary') }),
  z.object({ kind: z.literal('seckill'), campaignId: Id, reservationId: Id }),
]);
export type OrderOrigin = z.output<typeof OrderOrigin>;
