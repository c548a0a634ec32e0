import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OrderCancelled, OrderPaid, OrderRefunded, SeckillRestocked } from '#contracts';
import { Handle, Outbox } from '#messaging';

// Campaigns' stock is given back by one batch at a time: a batch locks several campaigns, and two could
// deadlock. The sale itself locks one campaign and waits for nothing after it.
const ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('stock'))";

// Each statement locks the campaigns before it reads the reservations, as the sale does, and moves only what is
// in the state it expects, so that an event that comes again moves nothing.
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

/** Moves campaign stock as its orders go: sold when paid, available again when cancelled or refunded. */
@Controller()
export class FollowOrder {
  constructor(private readonly outbox: Outbox) {}

  @Handle(OrderPaid, { name: 'seckill.follow-order', batch: 500 })
  async sell(events: readonly OrderPaid[], tx: EntityManager): Promise<void> {
    const orders = ordersOf(events);
    if (orders.length === 0) return;
    await tx.query(ONE_AT_A_TIME);
    await tx.query(LOCK, [orders]);
    await tx.query(SELL, [orders]);
  }

  @Handle(OrderCancelled, { name: 'seckill.follow-order', batch: 500 })
  async giveBackCancelled(events: readonly OrderCancelled[], tx: EntityManager): Promise<void> {
    await this.release(ordersOf(events), tx);
  }

  @Handle(OrderRefunded, { name: 'seckill.follow-order', batch: 500 })
  async giveBackRefunded(events: readonly OrderRefunded[], tx: EntityManager): Promise<void> {
    await this.release(ordersOf(events), tx);
  }

  private async release(orders: readonly string[], tx: EntityManager): Promise<void> {
    if (orders.length === 0) return;
    await tx.query(ONE_AT_A_TIME);
    await tx.query(LOCK, [orders]);
    const [changed] = (await tx.query(RELEASE, [orders])) as [
      { campaignId: string; version: number; before: number }[],
    ];
    const restocked = changed.filter(({ before }) => before === 0);
    await this.outbox.publish(
      tx,
      SeckillRestocked,
      restocked.map(({ campaignId, version }) => ({ campaignId, version })),
    );
  }
}

function ordersOf(events: readonly (OrderPaid | OrderCancelled | OrderRefunded)[]): string[] {
  return events.filter(event => event.origin.kind === 'seckill').map(event => event.orderId);
}
