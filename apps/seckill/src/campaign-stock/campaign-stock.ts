import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

// Only one batch at a time changes campaign stock: a batch locks several campaigns, so two could deadlock.
// The sale itself locks one campaign and then waits for nothing else.
const ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('stock'))";

// Each statement locks the campaigns before it reads the reservations, as the sale does. It moves only what
// is in the state it expects, so that a repeated event moves nothing.
const LOCK = `
SELECT 1 FROM campaign WHERE id IN (SELECT campaign_id FROM reservation WHERE order_id = ANY($1::uuid[]))
ORDER BY id FOR UPDATE`;

const SELL = `
WITH sold AS (
  UPDATE reservation SET status = 'sold' WHERE order_id = ANY($1::uuid[]) AND status = 'reserved'
  RETURNING campaign_id, quantity
), totals AS (SELECT campaign_id, sum(quantity) AS quantity FROM sold GROUP BY campaign_id)
UPDATE campaign c SET reserved = reserved - t.quantity, sold = sold + t.quantity, version = version + 1
FROM totals t WHERE c.id = t.campaign_id`;

const RELEASE = `
WITH given_back AS (
  UPDATE reservation r SET status = 'released'
  FROM (SELECT id, status FROM reservation WHERE order_id = ANY($1::uuid[]) AND status <> 'released' FOR UPDATE) AS old
  WHERE r.id = old.id
  RETURNING r.campaign_id, r.buyer_id, r.quantity, old.status AS was
), tallies AS (
  UPDATE buyer_tally t SET quantity = t.quantity - g.quantity
  FROM (SELECT campaign_id, buyer_id, sum(quantity) AS quantity FROM given_back GROUP BY 1, 2) AS g
  WHERE t.campaign_id = g.campaign_id AND t.buyer_id = g.buyer_id
), totals AS (
  SELECT campaign_id, sum(quantity) AS quantity,
         coalesce(sum(quantity) FILTER (WHERE was = 'reserved'), 0) AS reserved,
         coalesce(sum(quantity) FILTER (WHERE was = 'sold'), 0) AS sold
  FROM given_back GROUP BY campaign_id
)
UPDATE campaign c
SET available = available + t.quantity, reserved = c.reserved - t.reserved, sold = c.sold - t.sold, version = version + 1
FROM totals t WHERE c.id = t.campaign_id
RETURNING c.id AS "campaignId", c.version, (c.available - t.quantity)::int AS before`;

/** A campaign whose stock was changed. */
export interface Restocked {
  readonly campaignId: string;
  readonly version: number;
}

/** The stock of flash sales after the sale: sold when paid, available again when cancelled or refunded. */
@Injectable()
export class CampaignStock {
  /** Marks the stock reserved by the orders as sold. */
  async sell(tx: EntityManager, orderIds: readonly string[]): Promise<void> {
    await tx.query(ONE_AT_A_TIME);
    await tx.query(LOCK, [orderIds]);
    await tx.query(SELL, [orderIds]);
  }

  /** Makes the orders' reserved or sold stock available again. @returns campaigns that had nothing left */
  async release(tx: EntityManager, orderIds: readonly string[]): Promise<Restocked[]> {
    await tx.query(ONE_AT_A_TIME);
    await tx.query(LOCK, [orderIds]);
    const [changed] = (await tx.query(RELEASE, [orderIds])) as [(Restocked & { readonly before: number })[]];
    return changed
      .filter(({ before }) => before === 0)
      .map(({ campaignId, version }) => ({ campaignId, version }));
  }
}
