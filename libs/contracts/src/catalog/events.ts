import { z } from 'zod';
import { defineEvent, type EventOf } from '#messaging/message';
import { Count, Currency, Id, MinorUnits, PricedItem, Sku } from '../values.js';

/** Stock is set aside for an ordinary order, at these prices. */
export const StockReserved = defineEvent({
  type: 'catalog.stock-reserved.v1',
  topic: 'catalog',
  key: event => event.orderId,
  schema: z.object({
    orderId: Id,
    items: z.array(PricedItem).min(1),
    totalMinor: MinorUnits,
    currency: Currency,
  }),
});
export type StockReserved = EventOf<typeof StockReserved>;

/** All or nothing: the order is rejected if one item is unavailable or cannot be totaled with the others. */
export const StockRejected = defineEvent({
  type: 'catalog.stock-rejected.v1',
  topic: 'catalog',
  key: event => event.orderId,
  schema: z.object({
    orderId: Id,
    sku: Sku,
    reason: z.enum(['out_of_stock', 'unknown_sku', 'not_priceable']),
  }),
});
export type StockRejected = EventOf<typeof StockRejected>;

/** Most products in one event of changes. */
export const MAX_CHANGED_PRODUCTS = 500;

/**
 * The price, the title or the available stock of these products has changed: whoever keeps a copy drops it. Changes are
 * told together, at most every quarter of a second, so that a product's rush of orders is a few events.
 */
export const ProductsChanged = defineEvent({
  type: 'catalog.products-changed.v1',
  topic: 'catalog-product',
  key: () => 'products',
  schema: z.object({ skus: z.array(Sku).min(1).max(MAX_CHANGED_PRODUCTS) }),
});
export type ProductsChanged = EventOf<typeof ProductsChanged>;

/** Part of a publication is stored and waits to be processed. */
export const PublicationChunkStaged = defineEvent({
  type: 'catalog.publication-chunk-staged.v1',
  topic: 'catalog-publication',
  key: event => event.publicationId,
  schema: z.object({ publicationId: Id, chunk: Count }),
});
export type PublicationChunkStaged = EventOf<typeof PublicationChunkStaged>;
