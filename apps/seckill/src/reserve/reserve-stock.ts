import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type Decision, SeckillReserved, SeckillSoldOut } from '#contracts';
import { Outbox } from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import type { SeckillConfig } from '../seckill.config.js';
import { type CampaignState, type DatedClick, decide } from './decide.js';
import { OPEN_BATCH, TAKE_STOCK } from './sql.js';

interface Campaign {
  readonly sku: string;
  readonly available: number;
  readonly version: number;
  readonly perUserLimit: number;
  readonly priceMinor: number;
  readonly currency: string;
  readonly paymentWindow: number;
  readonly endsAt: string;
  readonly now: string;
  readonly phase: CampaignState['phase'];
}

interface Opened {
  readonly campaign: Campaign | null;
  /** The quantity that each buyer has from this campaign. */
  readonly tallies: Readonly<Record<string, number>> | null;
  /** The number of recent reservations of each buyer, in any campaign. */
  readonly recent: Readonly<Record<string, number>> | null;
  readonly blocked: readonly string[] | null;
  readonly again: readonly string[];
}

/** What became of clicks. */
export interface Decided {
  /** One for each click, in the order of the clicks. */
  readonly decisions: readonly Decision[];
  /** The time of the decision, by the database's clock, in ms since 1970; undefined where there was nothing to decide. */
  readonly now?: number;
  /** Present if nothing is left, as of this version of the campaign. */
  readonly soldOut?: { readonly version: number; readonly endsAt: string };
}

/** The conditions on the rows contradict the decision. The batch is rolled back and has no effect. */
export class DecisionOvertaken extends Error {}

/** Decides clicks on a campaign and reserves stock for the winners, in one transaction with the outbox. */
@Injectable()
export class ReserveStockUseCase {
  constructor(
    private readonly database: DataSource,
    private readonly outbox: Outbox,
    @Inject(SERVICE_CONFIG) private readonly config: SeckillConfig,
  ) {}

  /** Decides each click. When this resolves, the decisions are committed. */
  async reserve(
    campaignId: string,
    clicks: readonly DatedClick[],
    again: readonly string[],
  ): Promise<Decided> {
    return this.database.transaction(async tx => {
      const opened = await this.open(tx, campaignId, clicks, again);
      const { campaign } = opened;
      if (campaign === null) return { decisions: clicks.map(() => 'unknown_campaign') };
      const now = Date.parse(campaign.now);
      const decisions = decide({ ...this.stateOf(campaign, opened), now }, clicks);
      const before = new Set(opened.again);
      const won = clicks.filter(
        (click, n) => decisions[n] === 'reserved' && !before.has(click.reservationId),
      );
      const { available, version } =
        won.length > 0 ? await this.take(tx, campaignId, campaign, won) : campaign;
      if (available > 0) return { decisions, now };
      return { decisions, now, soldOut: { version, endsAt: campaign.endsAt } };
    });
  }

  private async open(
    tx: EntityManager,
    campaignId: string,
    clicks: readonly DatedClick[],
    again: readonly string[],
  ): Promise<Opened> {
    const buyers = [...new Set(clicks.map(click => click.buyerId))];
    const [opened] = (await tx.query(OPEN_BATCH, [campaignId, buyers, again, this.config.RISK_WINDOW_S])) as [
      Opened,
    ];
    return opened;
  }

  private stateOf(
    campaign: Campaign,
    { tallies, recent, blocked, again }: Opened,
  ): Omit<CampaignState, 'now'> {
    return {
      available: campaign.available,
      perUserLimit: campaign.perUserLimit,
      phase: campaign.phase,
      tallies: new Map(Object.entries(tallies ?? {})),
      recent: new Map(Object.entries(recent ?? {})),
      blocked: new Set(blocked),
      maxRecent: this.config.RISK_RESERVATIONS,
      reservedBefore: new Set(again),
    };
  }

  private async take(
    tx: EntityManager,
    campaignId: string,
    campaign: Campaign,
    won: readonly DatedClick[],
  ): Promise<Pick<Campaign, 'available' | 'version'>> {
    const total = won.reduce((sum, click) => sum + click.quantity, 0);
    const reservedAt = new Date(campaign.now);
    const takeBy = Math.min(...won.map(({ deadline }) => deadline));
    const values = [campaignId, JSON.stringify(won), total, reservedAt, takeBy];
    const [taken] = (await tx.query(TAKE_STOCK, values)) as [
      { available: number; version: number; highestTally: number }?,
    ];
    if (taken === undefined || taken.highestTally > campaign.perUserLimit)
      throw new DecisionOvertaken(campaignId);
    const payBy = new Date(reservedAt.getTime() + campaign.paymentWindow * 1_000).toISOString();
    const events = won.map(({ reservationId, orderId, buyerId, quantity }) => ({
      reservationId,
      orderId,
      campaignId,
      buyerId,
      sku: campaign.sku,
      quantity,
      unitPriceMinor: campaign.priceMinor,
      currency: campaign.currency,
      reservedAt: reservedAt.toISOString(),
      payBy,
    }));
    // #region publish
    await this.outbox.publish(tx, SeckillReserved, events, {
      traceparents: won.map(click => click.traceparent),
    });
    // #endregion
    if (taken.available === 0)
      await this.outbox.publish(tx, SeckillSoldOut, {
        campaignId,
        version: taken.version,
        endsAt: campaign.endsAt,
      });
    return taken;
  }
}
