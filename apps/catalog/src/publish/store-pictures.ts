import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ProductNews } from '../news/product-news.js';
import { type Chunk, stillSame } from './chunk.js';

/** Only rows that still stand: another line or a later publication may have taken their products. */
const STORE = `
INSERT INTO product_picture AS old (sku, urls)
SELECT r.sku, r.pictures FROM json_to_recordset($1::json) AS r(sku text, line int, pictures text[])
JOIN product p ON p.sku = r.sku AND p.publication = $2 AND p.line = r.line ORDER BY r.sku
ON CONFLICT (sku) DO UPDATE SET urls = excluded.urls
WHERE excluded.urls IS NOT NULL AND coalesce(old.urls, '{}') <> excluded.urls RETURNING sku`;

/** The second step: each product gets its pictures. A list without pictures leaves those that are there. */
@Injectable()
export class StorePictures {
  constructor(private readonly news: ProductNews) {}

  /** @returns the lines that still have changed nothing */
  async store(tx: EntityManager, chunk: Chunk): Promise<readonly number[]> {
    const rows = chunk.products.map(({ sku, line, pictures }) => ({ sku, line, pictures }));
    const changed = (await tx.query(STORE, [JSON.stringify(rows), chunk.number])) as { sku: string }[];
    await this.news.noteOnSale(
      tx,
      changed.map(({ sku }) => sku),
    );
    return stillSame(chunk, changed);
  }
}
