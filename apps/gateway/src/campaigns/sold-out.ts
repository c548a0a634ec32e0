import { Controller, Injectable } from '@nestjs/common';
import { SeckillRestocked, SeckillSoldOut } from '#contracts';
import { Handle } from '#messaging';

/** Most campaigns remembered; past it the oldest is forgotten and asked about again. */
const MAX = 10_000;

/** Campaigns that this instance knows to be sold out, so that it need not ask. */
@Injectable()
export class SoldOutCampaigns {
  private readonly states = new Map<string, { soldOut: boolean; version: number }>();

  has(campaignId: string): boolean {
    return this.states.get(campaignId)?.soldOut === true;
  }

  learn(campaignId: string, version: number, soldOut: boolean): void {
    if ((this.states.get(campaignId)?.version ?? -1) >= version) return;
    this.states.delete(campaignId);
    this.states.set(campaignId, { soldOut, version });
    if (this.states.size > MAX) this.states.delete(this.states.keys().next().value!);
  }
}

/** Every gateway hears it. */
@Controller()
export class HearOfStock {
  constructor(private readonly campaigns: SoldOutCampaigns) {}

  @Handle(SeckillSoldOut, { name: 'gateway.stock-news', broadcast: true })
  soldOut({ campaignId, version }: SeckillSoldOut): void {
    this.campaigns.learn(campaignId, version, true);
  }

  @Handle(SeckillRestocked, { name: 'gateway.stock-news', broadcast: true })
  restocked({ campaignId, version }: SeckillRestocked): void {
    this.campaigns.learn(campaignId, version, false);
  }
}
