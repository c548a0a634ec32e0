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

/** What a product shows that has no picture; the gateway serves it. */
const PLACEHOLDER = '/pictures/none.svg';

/** A product is on sale once its stock is opened, which the last step of its publication does. */
const PRODUCT = `
p.sku, p.store, p.title, least(p.price_minor, o.price_minor)::float8 AS "priceMinor", p.currency,
s.available::float8 AS available, d.slug,
CASE WHEN o.price_minor < p.price_minor THEN p.price_minor::float8 END AS "regularPriceMinor",
CASE WHEN cardinality(i.urls) > 0 THEN i.urls ELSE ARRAY['${PLACEHOLDER}'] END AS pictures`;

const ON_SALE = `
FROM product p JOIN stock s USING (sku) LEFT JOIN product_picture i USING (sku) LEFT JOIN product_page d USING (sku)
LEFT JOIN product_promotion o ON o.sku = p.sku AND o.currency = p.currency`;

const ONE = `SELECT ${PRODUCT}, nullif(d.description, '') AS description ${ON_SALE} WHERE p.sku = $1`;

/** Case is folded by the database alone, so that both sides are folded alike. */
const LIST = `
SELECT ${PRODUCT} ${ON_SALE}
WHERE p.sku > $1 AND (d.search LIKE ALL (ARRAY(SELECT lower(word) FROM unnest($2::text[]) AS word))
                      OR lower(p.sku) LIKE lower($3))
ORDER BY p.sku LIMIT $4`;

type Row = Omit<ProductView, 'regularPriceMinor' | 'slug' | 'description'> & {
  readonly [Name in 'regularPriceMinor' | 'slug' | 'description']?: ProductView[Name] | null;
};

@Injectable()
export class Browse {
  constructor(private readonly database: DataSource) {}

  /** @throws ProductNotFound */
  async get(sku: string): Promise<ProductView> {
    const [product] = (await this.database.query(ONE, [sku])) as [Row?];
    if (product === undefined) throw new ProductNotFound(sku);
    return viewOf(product);
  }

  /** Sorted by SKU. `query` holds words of the title or the description, or the start of a SKU's code. */
  async list({ limit, cursor = '', query }: RequestOf<typeof ListProducts>) {
    const words = (query ?? '').split(/\s+/).filter(Boolean).map(escapeLike);
    const rows = (await this.database.query(LIST, [
      cursor,
      words.map(word => `%${word}%`),
      words.length === 1 ? `%.${words[0]}%` : '',
      limit,
    ])) as Row[];
    const products = rows.map(viewOf);
    return { products, next: products.length === limit ? products.at(-1)!.sku : null };
  }
}

/** Without what the product does not have. */
function viewOf({ regularPriceMinor, slug, description, ...product }: Row): ProductView {
  return {
    ...product,
    ...(regularPriceMinor != null && { regularPriceMinor }),
    ...(slug != null && { slug }),
    ...(description != null && { description }),
  };
}

function escapeLike(word: string): string {
  return word.replaceAll(/[\\%_]/g, character => `\\${character}`);
}
