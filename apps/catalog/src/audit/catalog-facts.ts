import { Controller } from '@nestjs/common';
import { getFacts } from '#contracts';
import { HandleRequest } from '#requests';
import { idSet } from '#service-kit';
import { CatalogDatabase } from '../catalog.database.js';

const FIGURES = `
SELECT coalesce(sum(initial), 0)::float8 AS initial, coalesce(sum(available), 0)::float8 AS available,
       coalesce(sum(reserved), 0)::float8 AS reserved, coalesce(sum(sold), 0)::float8 AS sold,
       (SELECT count(*) FROM stock s LEFT JOIN (
          SELECT sku, sum(quantity) FILTER (WHERE status = 'reserved') AS reserved,
                 sum(quantity - returned) FILTER (WHERE status = 'sold') AS sold FROM stock_hold GROUP BY sku
        ) AS h USING (sku)
        WHERE s.reserved <> coalesce(h.reserved, 0) OR s.sold <> coalesce(h.sold, 0)
           OR s.available + s.reserved + s.sold <> s.initial)::int AS "SKUs that do not add up",
       (SELECT count(*) FROM stock s JOIN (
          SELECT sku, sum(quantity - returned) AS held FROM stock_hold WHERE status <> 'released' GROUP BY sku
        ) AS h USING (sku) WHERE h.held > s.initial)::int AS oversold
FROM stock`;

@Controller()
export class CatalogFacts {
  constructor(private readonly database: CatalogDatabase) {}

  @HandleRequest(getFacts('catalog'))
  async facts() {
    const orders = (status: string) => `SELECT DISTINCT order_id AS id FROM stock_hold WHERE ${status}`;
    const sets = {
      released: await idSet(this.database, orders("status = 'released'")),
      returned: await idSet(this.database, 'SELECT DISTINCT refund_id AS id FROM stock_return'),
      'ever held': await idSet(this.database, orders('true')),
    };
    const [figures] = (await this.database.query(FIGURES)) as [Record<string, number>];
    return { sets, figures };
  }
}
