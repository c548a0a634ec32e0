import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { PublicationRow } from '#contracts';
import { ProductNews } from '../news/product-news.js';
import { judge, type Rejection, type Row } from './row.js';

const STAGED = `
SELECT c.rows, p.store, p.number::float8 AS number FROM publication_chunk c JOIN publication p ON p.id = c.publication_id
WHERE c.publication_id = $1 AND c.chunk = $2 AND c.done_at IS NULL`;

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
RETURNING new.line, old.sku AS "wasKnownAs", CASE WHEN old.publication = new.publication THEN old.line END AS displaced,
  (old.title, old.price_minor, old.currency) IS DISTINCT FROM (new.title, new.price_minor, new.currency) AS changed`;

const STANDING = `
SELECT sku, publication::float8 AS publication, line FROM product WHERE sku = ANY($1)`;

/** Opens the stock of a new product. An existing product keeps its current stock. */
const OPEN_STOCK = `
INSERT INTO stock (sku, initial, available, opening, opened_by)
SELECT sku, stock, stock, stock, $2 FROM json_to_recordset($1::json) AS r(sku text, stock bigint) ORDER BY sku
ON CONFLICT (sku) DO NOTHING`;

/**
 * Two publications at once that both bring a new product: its opening stock is the later one's. What was sold meanwhile
 * stays sold, and was then in the opening stock.
 */
const CORRECT_STOCK = `
UPDATE stock s
SET available = greatest(s.available + r.stock - s.opening, 0),
    initial = greatest(s.available + r.stock - s.opening, 0) + s.reserved + s.sold,
    opening = greatest(r.stock, s.opening - s.available), opened_by = p.number
FROM json_to_recordset($1::json) AS r(sku text, stock bigint), publication p
WHERE s.sku = r.sku AND p.number = $2 AND s.opened_by <= p.number AND s.opened_at > p.opened_at
  AND s.opening <> r.stock
RETURNING s.sku`;

const REJECT = `
INSERT INTO publication_rejection (publication_id, line, reason)
SELECT $1, line, reason FROM json_to_recordset($2::json) AS r(line int, reason text) ON CONFLICT DO NOTHING`;

const FINISH = `
UPDATE publication_chunk SET unchanged = $3, done_at = now(), rows = NULL
WHERE publication_id = $1 AND chunk = $2`;

interface Ranked {
  readonly line: number;
  /** Its SKU, unless it is new. */
  readonly wasKnownAs: string | null;
  /** The line of the same publication that it took the place of. */
  readonly displaced: number | null;
  readonly changed: boolean;
}

/** Publishes the rows of one chunk and counts the outcomes. */
@Injectable()
export class PublishChunkUseCase {
  constructor(private readonly news: ProductNews) {}

  /** Does nothing for a chunk that is already done. */
  async publish(tx: EntityManager, publicationId: string, chunk: number): Promise<void> {
    const [staged] = (await tx.query(STAGED, [publicationId, chunk])) as [
      { rows: PublicationRow[]; store: string; number: number }?,
    ];
    if (staged === undefined) return;
    const { store, number } = staged;
    const judged = staged.rows.map(judge);
    const good = judged
      .flatMap(each => ('row' in each ? each.row : []))
      .map(row => ({ ...row, sku: `${store}.${row.code}` }));
    const rows = firstOfEach(good);
    const ranked = (await tx.query(UPSERT_PRODUCTS, [JSON.stringify(rows), number, store])) as Ranked[];
    const won = new Set(ranked.map(({ line }) => line));
    const winners = JSON.stringify(rows.filter(({ line }) => won.has(line)));
    await tx.query(OPEN_STOCK, [winners, number]);
    const [corrected] = (await tx.query(CORRECT_STOCK, [winners, number])) as [{ sku: string }[]];
    // Nobody has a copy of a new product.
    const changed = ranked.flatMap(({ changed, wasKnownAs }) => (changed ? (wasKnownAs ?? []) : []));
    await this.news.note(tx, [...changed, ...corrected.map(({ sku }) => sku)]);
    const rejected = [
      ...judged.filter(each => 'reason' in each),
      ...(await this.outranked(
        tx,
        number,
        good.filter(({ line }) => !won.has(line)),
      )),
      ...ranked.flatMap(({ line, displaced }) =>
        displaced === null || displaced === line ? [] : [sameCode(displaced, line)],
      ),
    ];
    await tx.query(REJECT, [publicationId, JSON.stringify(rejected)]);
    const unchanged = ranked.filter(({ changed }) => !changed).length;
    await tx.query(FINISH, [publicationId, chunk, unchanged]);
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
    return rows.map(({ sku, line }) => {
      const { publication, line: first } = bySku.get(sku)!;
      return publication === number
        ? sameCode(line, first)
        : { line, reason: 'a later publication has this product' };
    });
  }
}

/** One statement cannot write a row twice. Of several lines with one code, the first counts. */
function firstOfEach<R extends Row>(rows: readonly R[]): R[] {
  const first = new Map<string, R>();
  for (const row of rows) if (!first.has(row.code)) first.set(row.code, row);
  return [...first.values()];
}

function sameCode(line: number, first: number): Rejection {
  return { line, reason: `line ${first} has the same code` };
}
