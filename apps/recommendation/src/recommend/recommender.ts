import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { GetRecommendations } from '#contracts';
import type { ReplyOf, RequestOf } from '#messaging';

// What sells together with what the buyer last bought or viewed, except what the buyer already has.
const RECOMMEND = `
WITH mine AS (
  SELECT sku, bought, ln(1 + bought + viewed) AS weight FROM buyer_item WHERE buyer_id = $1 ORDER BY last_at DESC LIMIT 50
), candidates AS (
  SELECT t.other AS sku, sum(t.times * m.weight) AS score, (array_agg(m.sku ORDER BY t.times * m.weight DESC))[1] AS because
  FROM mine m CROSS JOIN LATERAL (
    SELECT other, times FROM bought_together WHERE sku = m.sku ORDER BY times DESC LIMIT 50) AS t
  WHERE NOT EXISTS (SELECT FROM mine x WHERE x.sku = t.other AND x.bought > 0)
  GROUP BY t.other
)
SELECT sku, score::float8 AS score, because FROM candidates ORDER BY score DESC, sku LIMIT $2`;

type Reply = ReplyOf<typeof GetRecommendations>;

/** Finds products for a buyer among what others bought together. */
@Injectable()
export class Recommender {
  constructor(private readonly database: DataSource) {}

  async recommend({ buyerId, limit }: RequestOf<typeof GetRecommendations>): Promise<Reply> {
    return { items: (await this.database.query(RECOMMEND, [buyerId, limit])) as Reply['items'] };
  }
}
