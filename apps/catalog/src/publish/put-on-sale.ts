import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ProductNews } from '../news/product-news.js';
import { type Chunk, stillSame } from './chunk.js';

const PROMOTE = `
INSERT INTO product_promotion AS old (sku, price_minor, currency)
SELECT r.sku, r."promoPriceMinor", r.currency
FROM json_to_recordset($1::json) AS r(sku text, line int, "promoPriceMinor" bigint, currency text)
JOIN product p ON p.sku = r.sku AND p.publication = $2 AND p.line = r.line
WHERE r."promoPriceMinor" IS NOT NULL ORDER BY r.sku
ON CONFLICT (sku) DO UPDATE SET price_minor = excluded.price_minor, currency = excluded.currency
WHERE (old.price_minor, old.currency) <> (excluded.price_minor, excluded.currency) RETURNING sku`;

const END_PROMOTION = `
WITH ended AS (
  DELETE FROM product_promotion o USING product p
  WHERE p.sku = o.sku AND p.publication = $2 AND (o.sku, p.line) IN (
    SELECT sku, line FROM json_to_recordset($1::json) AS r(sku text, line int, "promoPriceMinor" bigint)
    WHERE "promoPriceMinor" IS NULL)
  RETURNING o.sku)
SELECT sku FROM ended`;

/** Opens the stock of a new product, which puts it on sale. An existing product keeps its current stock. */
const OPEN_STOCK = `
INSERT INTO stock (sku, initial, available, opening, opened_by)
SELECT r.sku, r.stock, r.stock, r.stock, $2 FROM json_to_recordset($1::json) AS r(sku text, line int, stock bigint)
JOIN product p ON p.sku = r.sku AND p.publication = $2 AND p.line = r.line ORDER BY r.sku
ON CONFLICT (sku) DO NOTHING RETURNING sku`;

/**
 * Two publications at once that both bring a new product: its opening stock is the later one's. What was sold meanwhile
 * stays sold, and was then in the opening stock.
 */
const CORRECT_STOCK = `
UPDATE stock s
SET available = greatest(s.available + r.stock - s.opening, 0),
    initial = greatest(s.available + r.stock - s.opening, 0) + s.reserved + s.sold,
    opening = greatest(r.stock, s.opening - s.available), opened_by = b.number
FROM json_to_recordset($1::json) AS r(sku text, line int, stock bigint), publication b, product p
WHERE s.sku = r.sku AND b.number = $2 AND s.opened_by <= b.number AND s.opened_at > b.opened_at
  AND s.opening <> r.stock AND p.sku = r.sku AND p.publication = $2 AND p.line = r.line
RETURNING s.sku`;

/** The last step: promotional prices are applied, and new products come on sale. */
@Injectable()
export class PutOnSale {
  constructor(private readonly news: ProductNews) {}

  /** @returns the lines that have changed nothing */
  async put(tx: EntityManager, chunk: Chunk): Promise<readonly number[]> {
    const { products, number } = chunk;
    const changed = await this.applyPromotions(tx, chunk);
    await this.news.noteOnSale(
      tx,
      changed.map(({ sku }) => sku),
    );
    const rows = JSON.stringify(products.map(({ sku, line, stock }) => ({ sku, line, stock })));
    const opened = (await tx.query(OPEN_STOCK, [rows, number])) as unknown[];
    if (opened.length < products.length) {
      const [corrected] = (await tx.query(CORRECT_STOCK, [rows, number])) as [{ sku: string }[]];
      await this.news.note(
        tx,
        corrected.map(({ sku }) => sku),
      );
    }
    return stillSame(chunk, changed);
  }

  /** A row without the column leaves the promotion that there is; an empty cell ends it. */
  private async applyPromotions(
    tx: EntityManager,
    { products, number }: Chunk,
  ): Promise<readonly { sku: string }[]> {
    const rows = products
      .filter(({ promoPriceMinor }) => promoPriceMinor !== undefined)
      .map(({ sku, line, promoPriceMinor, currency }) => ({ sku, line, promoPriceMinor, currency }));
    if (rows.length === 0) return [];
    const told = [JSON.stringify(rows), number];
    const promoted = (await tx.query(PROMOTE, told)) as { sku: string }[];
    const ended = (await tx.query(END_PROMOTION, told)) as { sku: string }[];
    return [...promoted, ...ended];
  }
}
