import { z } from 'zod';
import { defineRequest } from '#messaging/message';
import { Count, Currency, Id, Instant, MAX_STOCK, MinorUnits, Sku, Stock, Text } from '../values.js';

export const Store = z.string().regex(/^[a-z0-9-]{1,32}$/, 'a store is 1 to 32 characters: a–z, 0–9 or -');

export const ProductView = z.object({
  sku: Sku,
  store: Store,
  title: Text.max(300),
  priceMinor: MinorUnits,
  currency: Currency,
  available: Stock,
  /** The price outside of a promotion. Left out where there is none: `priceMinor` is what an order pays. */
  regularPriceMinor: MinorUnits.optional(),
  /** Addresses, the main picture first; a placeholder where the product has none. */
  pictures: z.array(Text.max(1_000)).optional(),
  /** The last part of its page's address. */
  slug: Text.max(400).optional(),
  /** The text of its page; only where one product is asked for. */
  description: Text.max(1_000).optional(),
});
export type ProductView = z.output<typeof ProductView>;

export const ListProducts = defineRequest({
  type: 'catalog.list-products.v1',
  schema: z.object({
    limit: z.int().min(1).max(200),
    cursor: Sku.optional(),
    query: Text.max(200).optional(),
  }),
  reply: z.object({ products: z.array(ProductView), next: Sku.nullable() }),
});

export const GetProduct = defineRequest({
  type: 'catalog.get-product.v1',
  schema: z.object({ sku: Sku }),
  reply: ProductView,
});

/** The columns of a list of products. */
export const PUBLICATION_COLUMNS = ['code', 'title', 'priceMinor', 'currency', 'stock'] as const;
/** Columns that a list may have besides. */
export const OPTIONAL_COLUMNS = ['pictures', 'description', 'promoPriceMinor'] as const;

const Cell = z.union([Text.max(1_000), z.number()], {
  error: ({ input }) =>
    typeof input === 'string'
      ? 'is longer than 1000 characters, or has a NUL or half of a surrogate pair in it'
      : 'is neither text nor a number',
});
export const PublicationValues = z
  .object({
    code: Cell,
    title: Cell,
    priceMinor: Cell,
    currency: Cell,
    stock: Cell,
    pictures: Cell,
    description: Cell,
    promoPriceMinor: Cell,
  })
  .partial();

/** One line of a publication as read: its values, or why it has none. The catalog judges the values. */
export const PublicationRow = z.object({
  line: Count.min(1),
  values: PublicationValues,
  problem: Text.max(500).optional(),
});
export type PublicationRow = z.output<typeof PublicationRow>;

export const PUBLICATION_CHUNK_ROWS = 500;

export const OpenPublication = defineRequest({
  type: 'catalog.open-publication.v1',
  schema: z.object({ publicationId: Id, store: Store }),
  reply: z.object({ publicationId: Id }),
});

export const StageChunk = defineRequest({
  type: 'catalog.stage-chunk.v1',
  schema: z.object({
    publicationId: Id,
    chunk: Count,
    rows: z.array(PublicationRow).min(1).max(PUBLICATION_CHUNK_ROWS),
  }),
  reply: z.object({ staged: Count }),
});

/** All chunks have arrived, or the upload was interrupted. */
export const ClosePublication = defineRequest({
  type: 'catalog.close-publication.v1',
  schema: z.object({ publicationId: Id, broken: Text.max(500).optional() }),
  reply: z.object({ publicationId: Id }),
});

/** The steps of each row, in order. With the last one, its product is on sale. */
export const PUBLICATION_STEPS = ['register', 'pictures', 'detailPage', 'promotion'] as const;

export const PublicationView = z.object({
  publicationId: Id,
  store: Store,
  status: z.enum(['receiving', 'publishing', 'paused', 'published', 'cancelled', 'broken']),
  problem: Text.nullable(),
  /** Rows that have arrived: published + unchanged + rejected + remaining. */
  received: Count,
  /** Rows whose products are on sale and new or changed. */
  published: Count,
  unchanged: Count,
  rejected: Count,
  /** Rows that are still to be worked off; of a cancelled publication, those that never will be. */
  remaining: Count,
  /** How many rows have been through each step. */
  steps: z.object({ register: Count, pictures: Count, detailPage: Count, promotion: Count }),
  /** Estimated from the last seconds, in whole seconds; null when there is nothing to estimate it from. */
  secondsLeft: Count.nullable(),
  /** The first of the rejected rows, by line. */
  rejectedRows: z.array(z.object({ line: Count, reason: Text })),
  openedAt: Instant,
});
export type PublicationView = z.output<typeof PublicationView>;

const OnePublication = z.object({ publicationId: Id });

export const GetPublication = defineRequest({
  type: 'catalog.get-publication.v2',
  schema: OnePublication,
  reply: PublicationView,
});

/** Hands over no more parts until it is resumed. Asked again, it changes nothing. */
export const PausePublication = defineRequest({
  type: 'catalog.pause-publication.v1',
  schema: OnePublication,
  reply: PublicationView,
});

/** Asked again, it changes nothing. */
export const ResumePublication = defineRequest({
  type: 'catalog.resume-publication.v1',
  schema: OnePublication,
  reply: PublicationView,
});

/** Drops the rows that wait. What is published stays published. Asked again, it changes nothing. */
export const CancelPublication = defineRequest({
  type: 'catalog.cancel-publication.v1',
  schema: OnePublication,
  reply: PublicationView,
});

export const RejectedRow = z.object({
  line: Count,
  /** As it was in the row, if it had one. */
  code: Text.max(64).nullable(),
  reason: Text,
});
export type RejectedRow = z.output<typeof RejectedRow>;

/** The rejected rows so far, by line, a page at a time. */
export const ListRejectedRows = defineRequest({
  type: 'catalog.list-rejected-rows.v1',
  schema: OnePublication.extend({ afterLine: Count, limit: z.int().min(1).max(1_000) }),
  reply: z.object({ rows: z.array(RejectedRow) }),
});

/** Changes what is in stock by hand. It is a difference, so that a sale at the same moment is not lost. */
export const ChangeStock = defineRequest({
  type: 'catalog.change-stock.v1',
  schema: z.object({
    changeId: Id,
    sku: Sku,
    by: z
      .int()
      .min(-MAX_STOCK)
      .max(MAX_STOCK)
      .refine(by => by !== 0, 'changes nothing'),
    reason: Text.min(1).max(200),
  }),
  reply: z.object({ sku: Sku, available: Stock }),
});
