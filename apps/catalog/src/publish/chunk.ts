import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { PUBLICATION_STEPS, type PublicationRow } from '#contracts';
import { judge, type Judged, type Row } from './row.js';

type Step = (typeof PUBLICATION_STEPS)[number];

/** One part of a publication, as a step finds it. */
export interface Chunk {
  readonly publicationId: string;
  readonly chunk: number;
  readonly store: string;
  /** The rank of its publication. */
  readonly number: number;
  readonly judged: readonly Judged[];
  /** The good rows, each with its SKU. */
  readonly products: readonly (Row & { readonly sku: string })[];
  /** Lines that have changed nothing so far. */
  readonly same: readonly number[];
}

const READ = `
SELECT c.rows, c.same, p.store, p.number::float8 AS number
FROM publication_chunk c JOIN publication p ON p.id = c.publication_id
WHERE c.publication_id = $1 AND c.chunk = $2 AND c.steps = $3`;

const ADVANCE = `
UPDATE publication_chunk SET steps = $3 + 1, same = $4, rejected = rejected + $5
WHERE publication_id = $1 AND chunk = $2 AND steps = $3`;

const FINISH = `
UPDATE publication_chunk SET steps = $3 + 1, same = '{}', unchanged = cardinality($4::int[]), rejected = rejected + $5,
  done_at = now(), rows = NULL
WHERE publication_id = $1 AND chunk = $2 AND steps = $3`;

interface Stored {
  readonly rows: PublicationRow[];
  readonly same: number[];
  readonly store: string;
  readonly number: number;
}

/** Where each part of a publication is among the steps. */
@Injectable()
export class Chunks {
  /** @returns nothing when the part has been through the step, or has not come to it */
  async at(
    tx: EntityManager,
    step: Step,
    { publicationId, chunk }: { publicationId: string; chunk: number },
  ): Promise<Chunk | undefined> {
    const place = PUBLICATION_STEPS.indexOf(step);
    const [stored] = (await tx.query(READ, [publicationId, chunk, place])) as [Stored?];
    if (stored === undefined) return undefined;
    const { rows, same, store, number } = stored;
    const judged = rows.map(judge);
    const products = judged.flatMap(each =>
      'row' in each ? { ...each.row, sku: `${store}.${each.row.code}` } : [],
    );
    return { publicationId, chunk, store, number, judged, products, same };
  }

  /** The part is through the step. */
  async pass(
    tx: EntityManager,
    step: Step,
    { publicationId, chunk }: Chunk,
    { same, rejected = 0 }: { same: readonly number[]; rejected?: number },
  ): Promise<void> {
    const place = PUBLICATION_STEPS.indexOf(step);
    const update = place === PUBLICATION_STEPS.length - 1 ? FINISH : ADVANCE;
    await tx.query(update, [publicationId, chunk, place, same, rejected]);
  }
}

/** The lines that still have changed nothing. @param changed SKUs that the step has changed */
export function stillSame({ products, same }: Chunk, changed: readonly { sku: string }[]): readonly number[] {
  if (same.length === 0) return same;
  const skus = new Set(changed.map(({ sku }) => sku));
  const lines = new Set(products.filter(({ sku }) => skus.has(sku)).map(({ line }) => line));
  return same.filter(line => !lines.has(line));
}
