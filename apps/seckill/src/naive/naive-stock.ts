import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { NaiveBooks, NaivelyBought, NaiveTakeStock } from '#contracts';
import { DomainError, type RequestOf } from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import { CampaignNotFound } from '../campaigns/campaigns.js';
import type { SeckillConfig } from '../seckill.config.js';

class Refused extends DomainError {
  constructor(
    readonly code: 'risk_rejected' | 'not_started' | 'ended' | 'limit_reached' | 'sold_out',
    message: string,
  ) {
    super(message);
  }
}

const AT_RISK = `
SELECT EXISTS (SELECT FROM blocked_buyer WHERE buyer_id = $1) OR (
  SELECT count(*) >= $2 FROM naive_reservation
  WHERE buyer_id = $1 AND reserved_at > now() - make_interval(secs => $3)) AS "atRisk"`;

const READ = `
SELECT sku, price_minor, currency, per_user_limit, now() < starts_at AS early, now() >= ends_at AS late,
       (SELECT coalesce(sum(quantity), 0)::int FROM naive_reservation WHERE campaign_id = $1 AND buyer_id = $2) AS bought
FROM campaign WHERE id = $1 AND mode = 'sync'`;

const RESERVE = `
INSERT INTO naive_reservation (id, order_id, campaign_id, buyer_id, quantity) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO NOTHING RETURNING id`;

const TAKE = `
UPDATE campaign SET available = available - $2, reserved = reserved + $2, version = version + 1
WHERE id = $1 AND available >= $2`;

const BOOKS = `
SELECT c.id AS "campaignId", count(r.id)::int AS orders, coalesce(sum(r.quantity), 0)::int AS units
FROM campaign c LEFT JOIN naive_reservation r ON r.campaign_id = c.id WHERE c.mode = 'sync' GROUP BY c.id ORDER BY c.id`;

interface Row {
  readonly sku: string;
  readonly price_minor: string;
  readonly currency: string;
  readonly per_user_limit: number;
  readonly early: boolean;
  readonly late: boolean;
  readonly bought: number;
}

/** The first two of the five steps of the naive way. Each buyer takes the stock alone. */
@Injectable()
export class NaiveStock {
  constructor(
    private readonly database: DataSource,
    @Inject(SERVICE_CONFIG) private readonly config: SeckillConfig,
  ) {}

  /** @throws Refused */
  async checkRisk(buyerId: string): Promise<void> {
    const { RISK_RESERVATIONS, RISK_WINDOW_S } = this.config;
    const values = [buyerId, RISK_RESERVATIONS, RISK_WINDOW_S];
    const [{ atRisk }] = (await this.database.query(AT_RISK, values)) as [{ atRisk: boolean }];
    if (atRisk) throw new Refused('risk_rejected', 'the risk check refused this buyer');
  }

  /** Reads, decides, writes. Two clicks of one buyer at one moment may both pass the limit. @throws CampaignNotFound, Refused */
  async take(click: RequestOf<typeof NaiveTakeStock>): Promise<NaivelyBought> {
    const { campaignId, buyerId, quantity, reservationId, orderId } = click;
    const [row] = (await this.database.query(READ, [campaignId, buyerId])) as Row[];
    if (row === undefined) throw new CampaignNotFound(campaignId);
    if (row.early) throw new Refused('not_started', 'the campaign has not started');
    if (row.late) throw new Refused('ended', 'the campaign is over');
    await this.database.transaction(async tx => {
      const values = [reservationId, orderId, campaignId, buyerId, quantity];
      const reserved = (await tx.query(RESERVE, values)) as unknown[];
      // The same click again.
      if (reserved.length === 0) return;
      if (row.bought + quantity > row.per_user_limit)
        throw new Refused('limit_reached', 'this would exceed the limit per buyer');
      const [, taken] = (await tx.query(TAKE, [campaignId, quantity])) as [unknown, number];
      if (taken === 0) throw new Refused('sold_out', 'not enough stock is left');
    });
    const { sku, price_minor, currency } = row;
    return { ...click, sku, unitPriceMinor: Number(price_minor), currency };
  }

  async books(): Promise<NaiveBooks> {
    return { campaigns: (await this.database.query(BOOKS)) as NaiveBooks['campaigns'] };
  }
}
