import { Controller } from '@nestjs/common';
import { SeckillRestocked, SeckillSoldOut } from '#contracts';
import { Handle } from '#messaging';
import { SoldOutCampaigns } from './sold-out.js';

/** Every gateway instance receives these events. */
@Controller()
export class HearStockHandler {
  constructor(private readonly campaigns: SoldOutCampaigns) {}

  @Handle(SeckillSoldOut, { name: 'gateway.stock-news', broadcast: true })
  soldOut({ campaignId, version, endsAt }: SeckillSoldOut): void {
    this.campaigns.learn(campaignId, version, Date.parse(endsAt));
  }

  @Handle(SeckillRestocked, { name: 'gateway.stock-news', broadcast: true })
  restocked({ campaignId, version }: SeckillRestocked): void {
    this.campaigns.learn(campaignId, version, 0);
  }
}
