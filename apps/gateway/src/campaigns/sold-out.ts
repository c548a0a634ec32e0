import { Injectable } from '@nestjs/common';

/** Maximum number of campaigns to remember. Beyond it, the oldest is forgotten and asked about again. */
const MAX = 10_000;

/** Campaigns that this instance knows to be sold out, so that it need not ask. */
@Injectable()
export class SoldOutCampaigns {
  private readonly states = new Map<string, { soldOutUntil: number; version: number }>();

  /** Whether it is sold out and still running. One that is over is asked about, so its answer is `ended`. */
  has(campaignId: string, now: number = Date.now()): boolean {
    const state = this.states.get(campaignId);
    return state !== undefined && now < state.soldOutUntil;
  }

  learn(campaignId: string, version: number, soldOutUntil: number): void {
    if ((this.states.get(campaignId)?.version ?? -1) >= version) return;
    this.states.delete(campaignId);
    this.states.set(campaignId, { soldOutUntil, version });
    if (this.states.size > MAX) this.states.delete(this.states.keys().next().value!);
  }
}
