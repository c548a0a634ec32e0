import { Controller } from '@nestjs/common';
import { GrantTokens, ListBuckets, RemoveBucket, SetBucket } from '#contracts';
import { type ReplyOf, type RequestOf, TokenBuckets } from '#messaging';
import { HandleRequest } from '#requests';
import { CampaignBuckets } from './campaign-buckets.js';

/** The token buckets of the shop, of campaigns and of routes alike. */
@Controller()
export class FlowRequests {
  constructor(
    private readonly buckets: TokenBuckets,
    private readonly campaignBuckets: CampaignBuckets,
  ) {}

  @HandleRequest(GrantTokens)
  async grant({ asks }: RequestOf<typeof GrantTokens>): Promise<ReplyOf<typeof GrantTokens>> {
    return { grants: await this.buckets.grant(asks) };
  }

  @HandleRequest(SetBucket)
  set(request: RequestOf<typeof SetBucket>): Promise<ReplyOf<typeof SetBucket>> {
    return this.campaignBuckets.set(request);
  }

  @HandleRequest(RemoveBucket)
  async remove({ name }: RequestOf<typeof RemoveBucket>): Promise<ReplyOf<typeof RemoveBucket>> {
    return { version: (await this.buckets.remove(name)) ?? null };
  }

  @HandleRequest(ListBuckets)
  async list(): Promise<ReplyOf<typeof ListBuckets>> {
    return { buckets: await this.buckets.list() };
  }
}
