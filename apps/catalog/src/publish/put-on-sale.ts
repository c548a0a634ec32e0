import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ProductNews } from '../news/product-news.js';
import { type Part, placeOf, standing } from './part.js';

/** A row without the column leaves the promotion that there is; an empty cell ends it. */
const PROMOTE = `
WITH standing AS MATERIALIZED (${standing('"promoPriceMinor" bigint, currency text, promotes boolean')} AND r.promotes),
promoted AS (
  INSERT INTO product_promotion AS t (sku, price_minor, currency)
  SELECT sku, "promoPriceMinor", currency FROM standing WHERE "promoPriceMinor" IS NOT NULL ORDER BY sku
  ON CONFLICT (sku) DO UPDATE SET price_minor = excluded.price_minor, currency = excluded.currency
  WHERE (t.price_minor, t.currency) <> (excluded.price_minor, excluded.currency) RETURNING sku
), ended AS (
  DELETE FROM product_promotion t USING standing s WHERE t.sku = s.sku AND s."promoPriceMinor" IS NULL RETURNING t.sku
)
SELECT sku FROM promoted UNION ALL SELECT sku FROM ended`;

/** Opens the stock of a new product, which puts it on sale. An existing product keeps its current stock. */
const OPEN_STOCK = `
WITH standing AS MATERIALIZED (${standing('stock bigint')}), opened AS (
  INSERT INTO stock (sku, initial, available, opening, opened_by)
  SELECT sku, stock, stock, stock, (SELECT number FROM publication WHERE id = $1) FROM standing ORDER BY sku
  ON CONFLICT (sku) DO NOTHING RETURNING sku
)
SELECT (SELECT count(*) FROM standing) > (SELECT count(*) FROM opened) AS "someExisted"`;

/**
 * Two publications at once that both bring a new product: its opening stock is the later one's. What was sold meanwhile
 * stays sold, and was then in the opening stock.
 */
const CORRECT_STOCK = `
UPDATE stock s
SET available = greatest(s.available + r.stock - s.opening, 0),
    initial = greatest(s.available + r.stock - s.opening, 0) + s.reserved + s.sold,
    opening = greatest(r.stock, s.opening - s.available), opened_by = b.number
FROM (${standing('stock bigint')}) AS r, publication b
WHERE b.id = $1 AND s.sku = r.sku AND s.opened_by <= b.number AND s.opened_at > b.opened_at AND s.opening <> r.stock
RETURNING s.sku`;

/** @param $4 SKUs whose promotion has changed */
const FINISH = `
UPDATE publication_chunk c SET steps = c.steps + 1, done_at = now(), same = '{}', rows = NULL,
  unchanged = cardinality(ARRAY(
    SELECT unnest(c.same) EXCEPT
    SELECT r.line FROM jsonb_to_recordset(c.rows) AS r(sku text, line int) WHERE r.sku = ANY($4::text[])))
WHERE c.publication_id = $1 AND c.chunk = $2 AND c.steps = $3`;

/** The last step: promotional prices are applied, and new products come on sale. */
@Injectable()
export class PutOnSale {
  constructor(private readonly news: ProductNews) {}

  /** Does nothing for a part that is not at this step. */
  async put(tx: EntityManager, part: Part): Promise<void> {
    const place = placeOf(part, 'promotion');
    const promoted = ((await tx.query(PROMOTE, place)) as { sku: string }[]).map(({ sku }) => sku);
    await this.news.noteOnSale(tx, promoted);
    const [{ someExisted }] = (await tx.query(OPEN_STOCK, place)) as [{ someExisted: boolean }];
    if (someExisted) {
      const [corrected] = (await tx.query(CORRECT_STOCK, place)) as [{ sku: string }[]];
      await this.news.note(
        tx,
        corrected.map(({ sku }) => sku),
      );
    }
    await tx.query(FINISH, [...place, promoted]);
  }
}
