import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ProductNews } from '../news/product-news.js';
import { type Part, runStep, stepOf } from './part.js';

const STORE = stepOf(
  'pictures text[]',
  `
  INSERT INTO product_picture AS t (sku, urls) SELECT sku, pictures FROM standing ORDER BY sku
  ON CONFLICT (sku) DO UPDATE SET urls = excluded.urls
  WHERE excluded.urls IS NOT NULL AND coalesce(t.urls, '{}') <> excluded.urls
  RETURNING sku, old.sku IS NOT NULL AS changed`,
);

/** The second step: each product gets its pictures. A list without pictures leaves those that are there. */
@Injectable()
export class StorePictures {
  constructor(private readonly news: ProductNews) {}

  /** @returns false when the part is not at this step */
  async store(tx: EntityManager, part: Part): Promise<boolean> {
    const { passed, changed } = await runStep(tx, STORE, part, 'pictures');
    await this.news.noteOnSale(tx, changed);
    return passed;
  }
}
