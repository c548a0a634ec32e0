import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ProductNews } from '../news/product-news.js';
import type { Chunk } from './chunk.js';
import type { Rejection, Row } from './row.js';

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
  (old.title, old.price_minor, old.currency) IS DISTINCT FROM (new.title, new.price_minor, new.currency) AS changed`;

const STANDING = `
SELECT sku, publication::float8 AS publication, line FROM product WHERE sku = ANY($1)`;

const REJECT = `
INSERT INTO publication_rejection (publication_id, line, code, reason)
SELECT $1, line, code, reason FROM json_to_recordset($2::json) AS r(line int, code text, reason text)
ON CONFLICT DO NOTHING RETURNING line`;

interface Ranked {
  readonly sku: string;
  readonly line: number;
  /** The line of the same publication that it took the place of. */
  readonly displaced: number | null;
  readonly changed: boolean;
}

/** The first step: good rows become products, which are not on sale yet; the others are rejected. */
@Injectable()
export class RegisterProducts {
  constructor(private readonly news: ProductNews) {}

  async register(
    tx: EntityManager,
    { publicationId, store, number, judged, products }: Chunk,
  ): Promise<{ same: readonly number[]; rejected: number }> {
    const rows = firstOfEach(products);
    const ranked = (await tx.query(UPSERT_PRODUCTS, [
      JSON.stringify(
        rows.map(({ sku, title, priceMinor, currency, line }) => ({
          sku,
          title,
          priceMinor,
          currency,
          line,
        })),
      ),
      number,
      store,
    ])) as Ranked[];
    const won = new Map(ranked.map(each => [each.line, each]));
    const codes = new Map(products.map(({ line, code }) => [line, code]));
    const rejections: Rejection[] = [
      ...judged.filter(each => 'reason' in each),
      ...(await this.outranked(
        tx,
        number,
        products.filter(({ line }) => !won.has(line)),
      )),
      ...ranked.flatMap(({ line, displaced }) =>
        displaced === null || displaced === line ? [] : [sameCode(displaced, codes.get(line)!, line)],
      ),
    ];
    const rejected =
      rejections.length === 0
        ? []
        : ((await tx.query(REJECT, [publicationId, JSON.stringify(rejections)])) as unknown[]);
    await this.news.noteOnSale(
      tx,
      ranked.flatMap(({ sku, changed }) => (changed ? sku : [])),
    );
    const same = ranked.filter(({ changed }) => !changed).map(({ line }) => line);
    return { same, rejected: rejected.length };
  }

  /** Why rows were not taken: an earlier line or a later publication has their product. */
  private async outranked(
    tx: EntityManager,
    number: number,
    rows: readonly (Row & { sku: string })[],
  ): Promise<Rejection[]> {
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

/** One statement cannot write a row twice. Of several lines with one code, the first counts. */
function firstOfEach<R extends Row>(rows: readonly R[]): R[] {
  const first = new Map<string, R>();
  for (const row of rows) if (!first.has(row.code)) first.set(row.code, row);
  return [...first.values()];
}

function sameCode(line: number, code: string, first: number): Rejection {
  return { line, code, reason: `line ${first} has the same code` };
}
