import { z } from 'zod';
import { defineEvent, type EventOf } from '#messaging/message';
import { Count, Instant, Sku } from '../values.js';

/** Most products that are hot at a time. */
export const MAX_HOT_ITEMS = 500;

/** A product that many look at and order now. In points of the window, it has at least `count - error`, at most `count`. */
export const HotItem = z.object({
  sku: Sku,
  count: z.int().nonnegative(),
  error: z.int().nonnegative(),
  /** Since when it has been hot. */
  since: Instant,
});
export type HotItem = z.output<typeof HotItem>;

/**
 * Everything that is hot now, the hottest first. It is told when that changes, and every few seconds while anything is
 * hot: who starts later or has missed one knows after the next. Of two, the one with the higher version is right.
 */
export const HotItemsListed = defineEvent({
  type: 'recommendation.hot-items-listed.v1',
  topic: 'hot-items',
  key: () => 'hot-items',
  schema: z.object({
    version: z.int().positive(),
    listedAt: Instant,
    /** The window that the points are of, in ms. */
    windowMs: Count,
    items: z.array(HotItem).max(MAX_HOT_ITEMS),
    /** What has cooled down since the version before. */
    cooled: z.array(Sku).max(MAX_HOT_ITEMS),
  }),
});
export type HotItemsListed = EventOf<typeof HotItemsListed>;

/** How often the list is told while anything is hot, in ms. */
export const HOT_ITEMS_EVERY_MS = 5_000;
