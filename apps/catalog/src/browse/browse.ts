import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ListProducts, ProductView } from '#contracts';
import { DomainError, type RequestOf } from '#messaging';

export class ProductNotFound extends DomainError {
  readonly code = 'product_not_found';
  constructor(readonly sku: string) {
    super(`there is no product ${sku}`);
  }
}

const SELECT = `
SELECT p.sku, p.store, p.title, p.price_minor::float8 AS "priceMinor", p.currency, s.available::float8 AS available
FROM product p JOIN stock s USING (sku)`;

@Injectable()
export class Browse {
  constructor(private readonly database: DataSource) {}

  /** @throws ProductNotFound */
  async get(sku: string): Promise<ProductView> {
    const [product] = (await this.database.query(`${SELECT} WHERE p.sku = $1`, [sku])) as [ProductView?];
    if (product === undefined) throw new ProductNotFound(sku);
    return product;
  }

  /** Sorted by SKU. Case is folded by the database alone, so that both sides are folded alike. `query` holds words of the title, or the start of a SKU's code. */
  async list({ limit, cursor = '', query }: RequestOf<typeof ListProducts>) {
    const words = (query ?? '').split(/\s+/).filter(Boolean).map(escapeLike);
    const products = (await this.database.query(
      `${SELECT}
       WHERE p.sku > $1 AND (lower(p.title) LIKE ALL (ARRAY(SELECT lower(word) FROM unnest($2::text[]) AS word))
                             OR lower(p.sku) LIKE lower($3))
       ORDER BY p.sku LIMIT $4`,
      [cursor, words.map(word => `%${word}%`), words.length === 1 ? `%.${words[0]}%` : '', limit],
    )) as ProductView[];
    return { products, next: products.length === limit ? products.at(-1)!.sku : null };
  }
}

function escapeLike(word: string): string {
  return word.replaceAll(/[\\%_]/g, character => `\\${character}`);
}
