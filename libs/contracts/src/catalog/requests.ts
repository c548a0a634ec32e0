import { z } from 'zod';
import { defineRequest } from '#messaging/message';
import { Currency, Instant, MinorUnits, Sku } from '../values.js';

export const Store = z.string().regex(/^[a-z0-9-]{1,32}$/, 'a store is 1 to 32 characters: a–z, 0–9 or -');

export const ProductView = z.object({
  sku: Sku,
  store: Store,
  title: z.string(),
  priceMinor: MinorUnits,
  currency: Currency,
  available: z.int().nonnegative(),
});
export type ProductView = z.output<typeof ProductView>;

export const ListProducts = defineRequest({
  type: 'catalog.list-products.v1',
  schema: z.object({
    limit: z.int().min(1).max(200),
    cursor: Sku.optional(),
    query: z.string().max(200).optional(),
  }),
  reply: z.object({ products: z.array(ProductView), next: Sku.nullable() }),
});

export const GetProduct = defineRequest({
  type: 'catalog.get-product.v1',
  schema: z.object({ sku: Sku }),
  reply: ProductView,
});

/** One line of a publication, as read. The catalog validates it. */
export const PublicationRow = z.object({
  line: z.int().positive(),
  values: z.record(z.string(), z.unknown()),
});
export type PublicationRow = z.output<typeof PublicationRow>;

export const PUBLICATION_CHUNK_ROWS = 500;

export const OpenPublication = defineRequest({
  type: 'catalog.open-publication.v1',
  schema: z.object({ publicationId: z.uuid(), store: Store }),
  reply: z.object({ publicationId: z.uuid() }),
});

export const StageChunk = defineRequest({
  type: 'catalog.stage-chunk.v1',
  schema: z.object({
    publicationId: z.uuid(),
    chunk: z.int().nonnegative(),
    rows: z.array(PublicationRow).min(1).max(PUBLICATION_CHUNK_ROWS),
  }),
  reply: z.object({ staged: z.int() }),
});

/** All chunks have arrived, or the upload was interrupted. */
export const ClosePublication = defineRequest({
  type: 'catalog.close-publication.v1',
  schema: z.object({ publicationId: z.uuid(), broken: z.string().max(500).optional() }),
  reply: z.object({ publicationId: z.uuid() }),
});

export const PublicationView = z.object({
  publicationId: z.uuid(),
  store: Store,
  status: z.enum(['receiving', 'publishing', 'done', 'broken']),
  problem: z.string().nullable(),
  rows: z.int(),
  published: z.int(),
  unchanged: z.int(),
  rejected: z.int(),
  /** The first of the rejected rows, by line. */
  rejectedRows: z.array(z.object({ line: z.int(), reason: z.string() })),
  openedAt: Instant,
});
export type PublicationView = z.output<typeof PublicationView>;

export const GetPublication = defineRequest({
  type: 'catalog.get-publication.v1',
  schema: z.object({ publicationId: z.uuid() }),
  reply: PublicationView,
});
