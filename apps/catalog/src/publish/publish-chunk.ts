import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { PublicationRow } from '#contracts';
import { judge, type Row } from './row.js';

const STAGED = `
SELECT c.rows, p.store FROM publication_chunk c JOIN publication p ON p.id = c.publication_id
WHERE c.publication_id = $1 AND c.chunk = $2 AND c.done_at IS NULL`;

// An unchanged product is not written again, so importing twice changes nothing.
const UPSERT_PRODUCTS = `
INSERT INTO product AS p (sku, store, title, price_minor, currency)
SELECT sku, store, title, price_minor, currency
FROM json_to_recordset($1::json) AS r(sku text, store text, title text, price_minor bigint, currency text) ORDER BY sku
ON CONFLICT (sku) DO UPDATE SET title = excluded.title, price_minor = excluded.price_minor, currency = excluded.currency
WHERE (p.title, p.price_minor, p.currency) IS DISTINCT FROM (excluded.title, excluded.price_minor, excluded.currency)
RETURNING sku`;

// Sets the stock of a new product. An existing product keeps its current stock.
const INSERT_STOCK = `
INSERT INTO stock (sku, initial, available)
SELECT sku, stock, stock FROM json_to_recordset($1::json) AS r(sku text, stock bigint) ORDER BY sku
ON CONFLICT (sku) DO NOTHING`;

const REJECT = `
INSERT INTO publication_rejection (publication_id, line, reason)
SELECT $1, line, reason FROM json_to_recordset($2::json) AS r(line int, reason text) ON CONFLICT DO NOTHING`;

const FINISH = `
UPDATE publication_chunk SET published = $3, unchanged = $4, done_at = now(), rows = NULL
WHERE publication_id = $1 AND chunk = $2`;

/** Publishes the rows of one chunk and counts the outcomes. */
@Injectable()
export class PublishChunkUseCase {
  /** Does nothing for a chunk that is already done. */
  async publish(tx: EntityManager, publicationId: string, chunk: number): Promise<void> {
    const [staged] = (await tx.query(STAGED, [publicationId, chunk])) as [
      { rows: PublicationRow[]; store: string }?,
    ];
    if (staged === undefined) return;
    const judged = staged.rows.map(judge);
    const good = lastOfEachCode(judged.flatMap(each => ('row' in each ? each.row : [])));
    const rows = good.map(row => ({
      ...row,
      sku: `${staged.store}.${row.code}`,
      store: staged.store,
      price_minor: row.priceMinor,
    }));
    const json = JSON.stringify(rows);
    const changed = (await tx.query(UPSERT_PRODUCTS, [json])) as unknown[];
    await tx.query(INSERT_STOCK, [json]);
    const rejected = judged.filter(each => 'reason' in each);
    await tx.query(REJECT, [publicationId, JSON.stringify(rejected)]);
    const accepted = staged.rows.length - rejected.length;
    await tx.query(FINISH, [publicationId, chunk, changed.length, accepted - changed.length]);
  }
}

/** One statement cannot write a row twice. If several lines have the same code, the last one wins. */
function lastOfEachCode(rows: readonly Row[]): Row[] {
  return [...new Map(rows.map(row => [row.code, row])).values()];
}
