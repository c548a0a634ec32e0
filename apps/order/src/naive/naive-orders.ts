import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { NaiveBooks, NaivelyBought, OrderView } from '#contracts';

const WRITE = `
INSERT INTO naive_order (order_id, reservation_id, campaign_id, buyer_id, sku, quantity, unit_price_minor, currency)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (order_id) DO NOTHING`;

const READ = 'SELECT * FROM naive_order WHERE order_id = $1 AND buyer_id = $2';

const BOOKS = `
SELECT campaign_id AS "campaignId", count(*)::int AS orders, sum(quantity)::int AS units
FROM naive_order GROUP BY campaign_id ORDER BY campaign_id`;

interface Row {
  readonly order_id: string;
  readonly reservation_id: string;
  readonly campaign_id: string;
  readonly buyer_id: string;
  readonly sku: string;
  readonly quantity: number;
  readonly unit_price_minor: string;
  readonly currency: string;
  readonly placed_at: Date;
}

/** The third of the five steps of the naive way. Its orders end here: they exist to be compared, and cannot be paid. */
@Injectable()
export class NaiveOrders {
  constructor(private readonly database: DataSource) {}

  async write(bought: NaivelyBought): Promise<void> {
    const { orderId, reservationId, campaignId, buyerId, sku, quantity, unitPriceMinor, currency } = bought;
    const values = [orderId, reservationId, campaignId, buyerId, sku, quantity, unitPriceMinor, currency];
    await this.database.query(WRITE, values);
  }

  async get(orderId: string, buyerId: string): Promise<OrderView | undefined> {
    const [row] = (await this.database.query(READ, [orderId, buyerId])) as Row[];
    return row && toView(row);
  }

  async books(): Promise<NaiveBooks> {
    return { campaigns: (await this.database.query(BOOKS)) as NaiveBooks['campaigns'] };
  }
}

function toView({
  order_id,
  reservation_id,
  campaign_id,
  buyer_id,
  sku,
  quantity,
  unit_price_minor,
  currency,
  placed_at,
}: Row): OrderView {
  const unitPriceMinor = Number(unit_price_minor);
  const placedAt = placed_at.toISOString();
  return {
    orderId: order_id,
    buyerId: buyer_id,
    origin: { kind: 'seckill', campaignId: campaign_id, reservationId: reservation_id },
    status: 'awaiting_payment',
    items: [{ sku, quantity, unitPriceMinor, refunded: 0 }],
    totalMinor: quantity * unitPriceMinor,
    refundedMinor: 0,
    currency,
    reason: null,
    placedAt,
    payBy: null,
    timeline: [{ at: placedAt, what: 'placed the naive way; it cannot be paid' }],
  };
}
