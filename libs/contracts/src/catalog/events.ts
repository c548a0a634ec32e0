import { z } from 'zod';
import { defineEvent, type EventOf } from '#messaging/message';
import { Count, Currency, Id, Instant, MinorUnits, PricedItem, Sku } from '../values.js';

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
const byPublication = (event: { publicationId: string }) => event.publicationId;
const Chunk = z.object({ publicationId: Id, chunk: Count });

/** It is time to hand over the next parts of publications. One key, so that there is one timer. */
export const PublicationsDue = defineEvent({
  type: 'catalog.publications-due.v1',
  topic: 'catalog-publication-timer',
  key: () => 'publications',
  /** When it was due; left out when something new waits. */
  schema: z.object({ at: Instant.optional() }),
});
export type PublicationsDue = EventOf<typeof PublicationsDue>;

/** Part of a publication is stored and waits to be processed. */
export const PublicationChunkStaged = defineEvent({
  type: 'catalog.publication-chunk-staged.v1',
  topic: 'catalog-publication',
  key: byPublication,
  schema: Chunk,
});
export type PublicationChunkStaged = EventOf<typeof PublicationChunkStaged>;

/** The good rows of a part are registered as products; the others are rejected. */
export const PublicationChunkRegistered = defineEvent({
  type: 'catalog.publication-chunk-registered.v1',
  topic: 'catalog-pictures',
  key: byPublication,
  schema: Chunk,
});
export type PublicationChunkRegistered = EventOf<typeof PublicationChunkRegistered>;

/** The products of a part have their pictures. */
export const PublicationChunkPictured = defineEvent({
  type: 'catalog.publication-chunk-pictured.v1',
  topic: 'catalog-detail-pages',
  key: byPublication,
  schema: Chunk,
});
export type PublicationChunkPictured = EventOf<typeof PublicationChunkPictured>;

/** The products of a part have their detail pages. */
export const PublicationChunkDescribed = defineEvent({
  type: 'catalog.publication-chunk-described.v1',
  topic: 'catalog-promotions',
  key: byPublication,
  schema: Chunk,
});
export type PublicationChunkDescribed = EventOf<typeof PublicationChunkDescribed>;
