import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { NaiveBooks, NaivelyBought } from '#contracts';

const COUNT = `
INSERT INTO naive_sale (order_id, campaign_id, quantity, sales_minor) VALUES ($1, $2, $3, $4)
ON CONFLICT (order_id) DO NOTHING`;

const BOOKS = `
SELECT campaign_id AS "campaignId", count(*)::int AS orders, sum(quantity)::int AS units
FROM naive_sale GROUP BY campaign_id ORDER BY campaign_id`;

/** The last of the five steps of the naive way. */
@Injectable()
export class NaiveSales {
  constructor(private readonly database: DataSource) {}

  async count({ orderId, campaignId, quantity, unitPriceMinor }: NaivelyBought): Promise<void> {
    await this.database.query(COUNT, [orderId, campaignId, quantity, quantity * unitPriceMinor]);
  }

  async books(): Promise<NaiveBooks> {
    return { campaigns: (await this.database.query(BOOKS)) as NaiveBooks['campaigns'] };
  }
}
