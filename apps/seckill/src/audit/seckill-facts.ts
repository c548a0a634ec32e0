import { Controller } from '@nestjs/common';
import { getFacts } from '#contracts';
import { HandleRequest } from '#requests';
import { idSet } from '#service-kit';
import { SeckillDatabase } from '../seckill.database.js';

const FIGURES = `
SELECT coalesce(sum(stock), 0)::float8 AS stock, coalesce(sum(available), 0)::float8 AS available,
       coalesce(sum(reserved), 0)::float8 AS reserved, coalesce(sum(sold), 0)::float8 AS sold,
       (SELECT count(*) FROM campaign c LEFT JOIN (
          SELECT campaign_id, sum(quantity) FILTER (WHERE status = 'reserved') AS reserved,
                 sum(quantity) FILTER (WHERE status = 'sold') AS sold
          FROM reservation GROUP BY campaign_id) AS r ON r.campaign_id = c.id
        WHERE c.reserved <> coalesce(r.reserved, 0) OR c.sold <> coalesce(r.sold, 0)
           OR c.available + c.reserved + c.sold <> c.stock)::int AS "campaigns that do not add up",
       (SELECT coalesce(sum(greatest(r.quantity - c.stock, 0)), 0) FROM campaign c JOIN (
          SELECT campaign_id, sum(quantity) AS quantity FROM reservation WHERE status <> 'released' GROUP BY 1
        ) AS r ON r.campaign_id = c.id)::int AS oversold,
       (SELECT count(*) FROM (
          SELECT 1 FROM reservation r JOIN campaign c ON c.id = r.campaign_id WHERE r.status <> 'released'
          GROUP BY r.campaign_id, r.buyer_id, c.per_user_limit HAVING sum(r.quantity) > c.per_user_limit
        ) AS broken)::int AS "limits broken"
FROM campaign`;

@Controller()
export class SeckillFacts {
  constructor(private readonly database: SeckillDatabase) {}

  @HandleRequest(getFacts('seckill'))
  async facts() {
    const sets = {
      reservations: await idSet(this.database, 'SELECT id FROM reservation'),
      released: await idSet(
        this.database,
        "SELECT order_id AS id FROM reservation WHERE status = 'released'",
      ),
      kept: await idSet(this.database, "SELECT order_id AS id FROM reservation WHERE status <> 'released'"),
    };
    const [figures] = (await this.database.query(FIGURES)) as [Record<string, number>];
    return { sets, figures };
  }
}
