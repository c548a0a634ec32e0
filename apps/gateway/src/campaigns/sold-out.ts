import { Injectable, Optional } from '@nestjs/common';
import { Counter, Registry } from 'prom-client';
import { BoundedMap } from '#messaging';

/** Maximum number of campaigns to remember. Beyond it, the oldest is forgotten and asked about again. */
const MAX = 10_000;
/** How long a campaign is known to be sold out without asking again, in ms: news of a restock can be lost. */
const ASK_AGAIN_MS = 30_000;

interface State {
  readonly soldOutUntil: number;
  readonly version: number;
  /** When it was last heard of or asked about. */
  heardAt: number;
}

/**
 * Campaigns that this instance knows to be sold out, so that it need not ask. It learns from the broadcasts and from
 * every answer of the flash sale; what has the higher version is right, in whatever order they come.
 */
@Injectable()
export class SoldOutCampaigns {
  private readonly states = new BoundedMap<string, State>(MAX);
  private readonly refused: Counter;

  constructor(@Optional() registry?: Registry) {
    this.refused = new Counter({
      name: 'sluice_clicks_sold_out_total',
      help: 'Clicks answered `sold_out` from memory.',
      registers: registry === undefined ? [] : [registry],
    });
  }

  /**
   * Whether it is sold out and still running. One that is over is asked about, so its answer is `ended`. Every 30 seconds
   * one caller is told no, and so asks: a campaign whose restock was not heard of does not stay closed.
   */
  has(campaignId: string, now: number = Date.now()): boolean {
    const state = this.states.get(campaignId);
    if (state === undefined || now >= state.soldOutUntil) return false;
    if (now - state.heardAt >= ASK_AGAIN_MS) {
      state.heardAt = now;
      return false;
    }
    this.refused.inc();
    return true;
  }

  /** @param soldOutUntil in ms since 1970; 0 if it has stock */
  learn(campaignId: string, version: number, soldOutUntil: number, now: number = Date.now()): void {
    const known = this.states.get(campaignId);
    if (known !== undefined && known.version > version) return;
    this.states.set(campaignId, { soldOutUntil, version, heardAt: now });
  }
}
