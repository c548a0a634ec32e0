import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { CampaignMode, CampaignView, CreateCampaign } from '#contracts';
import { DomainError, type RequestOf } from '#messaging';

export class CampaignNotFound extends DomainError {
  readonly code = 'campaign_not_found';
  constructor(readonly campaignId: string) {
    super(`there is no campaign ${campaignId}`);
  }
}

export class InvalidCampaign extends DomainError {
  readonly code = 'invalid_campaign';
}

interface CampaignRow {
  readonly id: string;
  readonly sku: string;
  readonly mode: CampaignMode;
  readonly stock: number;
  readonly available: number;
  readonly reserved: number;
  readonly sold: number;
  readonly per_user_limit: number;
  readonly price_minor: string;
  readonly currency: string;
  readonly starts_at: Date;
  readonly ends_at: Date;
  readonly payment_window: number;
}

const INSERT = `
INSERT INTO campaign (id, sku, mode, stock, available, per_user_limit, price_minor, currency, starts_at, ends_at, payment_window)
VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING`;

@Injectable()
export class Campaigns {
  constructor(private readonly database: DataSource) {}

  /** The caller chooses the campaign's id, so that a retry creates it once. @throws InvalidCampaign */
  async create(request: RequestOf<typeof CreateCampaign>): Promise<CampaignView> {
    const {
      campaignId,
      sku,
      mode,
      stock,
      perUserLimit,
      priceMinor,
      currency,
      startsAt,
      endsAt,
      paymentWindow,
    } = request;
    if (Date.parse(endsAt) <= Date.parse(startsAt)) {
      throw new InvalidCampaign(`endsAt (${endsAt}) must be after startsAt (${startsAt})`);
    }
    const values = [
      campaignId,
      sku,
      mode,
      stock,
      perUserLimit,
      priceMinor,
      currency,
      startsAt,
      endsAt,
      paymentWindow,
    ];
    await this.database.query(INSERT, values);
    return this.get(campaignId);
  }

  /** @throws CampaignNotFound */
  async get(campaignId: string): Promise<CampaignView> {
    const rows = (await this.database.query('SELECT * FROM campaign WHERE id = $1', [
      campaignId,
    ])) as CampaignRow[];
    if (rows.length === 0) throw new CampaignNotFound(campaignId);
    return toView(rows[0]!);
  }

  /** The time by the database's clock, by which clicks have their deadlines, in ms since 1970. */
  async now(): Promise<number> {
    const query = 'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now';
    const [{ now }] = (await this.database.query(query)) as [{ now: number }];
    return now;
  }

  /** The newest first. */
  async list(limit: number): Promise<CampaignView[]> {
    const query = 'SELECT * FROM campaign ORDER BY created_at DESC, id LIMIT $1';
    return ((await this.database.query(query, [limit])) as CampaignRow[]).map(toView);
  }
}

function toView(row: CampaignRow): CampaignView {
  const { id, per_user_limit, price_minor, starts_at, ends_at, payment_window } = row;
  const { sku, mode, stock, available, reserved, sold, currency } = row;
  return {
    campaignId: id,
    sku,
    mode,
    stock,
    available,
    reserved,
    sold,
    perUserLimit: per_user_limit,
    priceMinor: Number(price_minor),
    currency,
    startsAt: starts_at.toISOString(),
    endsAt: ends_at.toISOString(),
    paymentWindow: payment_window,
  };
}
