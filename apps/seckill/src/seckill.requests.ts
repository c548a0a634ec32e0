import { Controller } from '@nestjs/common';
import { BlockBuyer, CreateCampaign, GetCampaign, ListCampaigns, ReserveStock, TellTime } from '#contracts';
import { type ReplyOf, type RequestOf } from '#messaging';
import { HandleRequest } from '#requests';
import { Campaigns } from './campaigns/campaigns.js';
import { CampaignBuckets } from './flow/campaign-buckets.js';
import { BlockedBuyers } from './reserve/blocked-buyers.js';
import { ClickBatcher } from './reserve/click-batcher.js';

/** The queries and commands that the flash-sale service answers. */
@Controller()
export class SeckillRequests {
  constructor(
    private readonly campaigns: Campaigns,
    private readonly batcher: ClickBatcher,
    private readonly blocked: BlockedBuyers,
    private readonly buckets: CampaignBuckets,
  ) {}

  @HandleRequest(CreateCampaign)
  async create(request: RequestOf<typeof CreateCampaign>) {
    await this.buckets.open(request);
    return this.campaigns.create(request);
  }

  @HandleRequest(GetCampaign)
  get({ campaignId }: RequestOf<typeof GetCampaign>) {
    return this.campaigns.get(campaignId);
  }

  @HandleRequest(ListCampaigns)
  async list({ limit }: RequestOf<typeof ListCampaigns>): Promise<ReplyOf<typeof ListCampaigns>> {
    return { campaigns: await this.campaigns.list(limit) };
  }

  @HandleRequest(ReserveStock)
  async reserve({
    campaignId,
    clicks,
    again,
    deadline,
  }: RequestOf<typeof ReserveStock>): Promise<ReplyOf<typeof ReserveStock>> {
    const { decisions, ...rest } = await this.batcher.decide(campaignId, clicks, again, deadline);
    return { decisions: [...decisions], ...rest };
  }

  @HandleRequest(TellTime)
  async time(): Promise<ReplyOf<typeof TellTime>> {
    return { now: await this.campaigns.now() };
  }

  @HandleRequest(BlockBuyer)
  async block({ buyerId, reason }: RequestOf<typeof BlockBuyer>): Promise<ReplyOf<typeof BlockBuyer>> {
    await this.blocked.block(buyerId, reason);
    return { buyerId };
  }
}
