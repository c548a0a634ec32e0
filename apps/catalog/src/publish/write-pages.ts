import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ProductNews } from '../news/product-news.js';
import { type Part, runStep, stepOf } from './part.js';

const WRITE = stepOf(
  'title text, slug text, description text',
  `
  INSERT INTO product_page AS t (sku, title, slug, description)
  SELECT sku, title, slug, description FROM standing ORDER BY sku
  ON CONFLICT (sku) DO UPDATE
  SET title = excluded.title, slug = excluded.slug, description = coalesce(excluded.description, t.description)
  WHERE (t.title, t.slug) <> (excluded.title, excluded.slug) OR excluded.description <> coalesce(t.description, '')
  RETURNING sku, old.sku IS NOT NULL AS changed`,
);

/** The third step: each product gets its detail page, and what searches look through. */
@Injectable()
export class WritePages {
  constructor(private readonly news: ProductNews) {}

  /** @returns false when the part is not at this step */
  async write(tx: EntityManager, part: Part): Promise<boolean> {
    const { passed, changed } = await runStep(tx, WRITE, part, 'detailPage');
    await this.news.noteOnSale(tx, changed);
    return passed;
  }
}
