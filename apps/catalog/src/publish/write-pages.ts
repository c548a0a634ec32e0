import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ProductNews } from '../news/product-news.js';
import { type Chunk, stillSame } from './chunk.js';
import { slugOf } from './slug.js';

const WRITE = `
INSERT INTO product_page AS old (sku, title, slug, description)
SELECT r.sku, r.title, r.slug, r.description
FROM json_to_recordset($1::json) AS r(sku text, line int, title text, slug text, description text)
JOIN product p ON p.sku = r.sku AND p.publication = $2 AND p.line = r.line ORDER BY r.sku
ON CONFLICT (sku) DO UPDATE
SET title = excluded.title, slug = excluded.slug, description = coalesce(excluded.description, old.description)
WHERE (old.title, old.slug) <> (excluded.title, excluded.slug)
   OR excluded.description <> coalesce(old.description, '') RETURNING sku`;

/** The third step: each product gets its detail page, and what searches look through. */
@Injectable()
export class WritePages {
  constructor(private readonly news: ProductNews) {}

  /** @returns the lines that still have changed nothing */
  async write(tx: EntityManager, chunk: Chunk): Promise<readonly number[]> {
    const rows = chunk.products.map(({ sku, line, code, title, description }) => ({
      sku,
      line,
      title,
      slug: slugOf(title, code),
      description,
    }));
    const changed = (await tx.query(WRITE, [JSON.stringify(rows), chunk.number])) as { sku: string }[];
    await this.news.noteOnSale(
      tx,
      changed.map(({ sku }) => sku),
    );
    return stillSame(chunk, changed);
  }
}
