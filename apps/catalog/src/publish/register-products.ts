import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { PublicationRow } from '#contracts';
import { ProductNews } from '../news/product-news.js';
import type { Part } from './part.js';
import { judge, type Rejection, type Row } from './row.js';
import { slugOf } from './slug.js';

/**
 * Later publications win, and within one the first line, in whatever order the chunks are handled. A product that is
 * equal is written too: it takes the rank, so that an older publication cannot come after it.
 */
const UPSERT_PRODUCTS = `
INSERT INTO product AS p (sku, store, title, price_minor, currency, publication, line)
SELECT sku, $3, title, "priceMinor", currency, $2, line
FROM json_to_recordset($1::json) AS r(sku text, title text, "priceMinor" bigint, currency text, line int) ORDER BY sku
ON CONFLICT (sku) DO UPDATE
SET title = excluded.title, price_minor = excluded.price_minor, currency = excluded.currency,
    publication = excluded.publication, line = excluded.line
WHERE (p.publication, -p.line) < (excluded.publication, -excluded.line)
RETURNING new.sku, new.line, CASE WHEN old.publication = new.publication THEN old.line END AS displaced,
  (old.title, old.price_minor, old.currency) IS DISTINCT FROM (new.title, new.price_minor, new.currency) AS changed,
  old.sku IS NOT NULL AS existed`;

const STANDING = `
SELECT sku, publication::float8 AS publication, line FROM product WHERE sku = ANY($1)`;

const REJECT = `
INSERT INTO publication_rejection (publication_id, line, code, reason)
SELECT $1, line, code, reason FROM json_to_recordset($2::json) AS r(line int, code text, reason text)
ON CONFLICT DO NOTHING RETURNING line`;

const STAGED = `
SELECT c.rows, p.store, p.number::float8 AS number
FROM publication_chunk c JOIN publication p ON p.id = c.publication_id
WHERE c.publication_id = $1 AND c.chunk = $2 AND c.steps = 0`;

/** The later steps work with the rows that were registered. */
const PASS = `
UPDATE publication_chunk SET steps = 1, rows = $3, same = $4, rejected = $5
WHERE publication_id = $1 AND chunk = $2 AND steps = 0`;

interface Staged {
  readonly rows: PublicationRow[];
  readonly store: string;
  /** The rank of its publication. */
  readonly number: number;
}

type Product = Row & { readonly sku: string };

interface Ranked {
  readonly sku: string;
  readonly line: number;
  /** The line of the same publication that it took the place of. */
  readonly displaced: number | null;
  readonly changed: boolean;
  readonly existed: boolean;
}

/** The first step: good rows become products, which are not on sale yet; the others are rejected. */
@Injectable()
export class RegisterProducts {
  constructor(private readonly news: ProductNews) {}

  /** @returns false when the part has been through the step */
  async register(tx: EntityManager, { publicationId, chunk }: Part): Promise<boolean> {
    const [staged] = (await tx.query(STAGED, [publicationId, chunk])) as [Staged?];
    if (staged === undefined) return false;
    const { store, number } = staged;
    const judged = staged.rows.map(judge);
    const products = judged.flatMap(each =>
      'row' in each ? { ...each.row, sku: `${store}.${each.row.code}` } : [],
    );
    const ranked = await this.upsert(tx, staged, firstOfEach(products));
    const won = new Set(ranked.map(({ line }) => line));
    const codes = new Map(products.map(({ line, code }) => [line, code]));
    const lost = products.filter(({ line }) => !won.has(line));
    const rejected = await this.reject(tx, publicationId, [
      ...judged.filter(each => 'reason' in each),
      ...(await this.outranked(tx, number, lost)),
      ...ranked.flatMap(({ line, displaced }) =>
        displaced === null || displaced === line ? [] : [sameCode(displaced, codes.get(line)!, line)],
      ),
    ]);
    await this.news.noteOnSale(
      tx,
      ranked.flatMap(({ sku, changed, existed }) => (changed && existed ? sku : [])),
    );
    const rows = JSON.stringify(products.filter(({ line }) => won.has(line)).map(toRegistered));
    const same = ranked.filter(({ changed }) => !changed).map(({ line }) => line);
    await tx.query(PASS, [publicationId, chunk, rows, same, rejected]);
    return true;
  }

  private async upsert(
    tx: EntityManager,
    { number, store }: Staged,
    products: readonly Product[],
  ): Promise<Ranked[]> {
    const rows = products.map(({ sku, title, priceMinor, currency, line }) => ({
      sku,
      title,
      priceMinor,
      currency,
      line,
    }));
    return (await tx.query(UPSERT_PRODUCTS, [JSON.stringify(rows), number, store])) as Ranked[];
  }

  private async reject(
    tx: EntityManager,
    publicationId: string,
    rejections: readonly Rejection[],
  ): Promise<number> {
    if (rejections.length === 0) return 0;
    const stored = (await tx.query(REJECT, [publicationId, JSON.stringify(rejections)])) as unknown[];
    return stored.length;
  }

  /** Why rows were not taken: an earlier line or a later publication has their product. */
  private async outranked(tx: EntityManager, number: number, rows: readonly Product[]): Promise<Rejection[]> {
    if (rows.length === 0) return [];
    const standing = (await tx.query(STANDING, [rows.map(({ sku }) => sku)])) as {
      sku: string;
      publication: number;
      line: number;
    }[];
    const bySku = new Map(standing.map(each => [each.sku, each]));
    return rows.map(({ sku, code, line }) => {
      const { publication, line: first } = bySku.get(sku)!;
      return publication === number
        ? sameCode(line, code, first)
        : { line, code, reason: 'a later publication has this product' };
    });
  }
}

/** What the later steps need of a product. A list that says nothing of promotions leaves those that there are. */
function toRegistered({ code, promoPriceMinor, ...product }: Product): object {
  const { title } = product;
  return { ...product, slug: slugOf(title, code), promoPriceMinor, promotes: promoPriceMinor !== undefined };
}

/** One statement cannot write a row twice. Of several lines with one code, the first counts. */
function firstOfEach(rows: readonly Product[]): Product[] {
  const first = new Map<string, Product>();
  for (const row of rows) if (!first.has(row.code)) first.set(row.code, row);
  return [...first.values()];
}

function sameCode(line: number, code: string, first: number): Rejection {
  return { line, code, reason: `line ${first} has the same code` };
}
