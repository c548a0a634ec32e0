import { Injectable } from '@nestjs/common';
import type { CreateCampaign, SetBucket } from '#contracts';
import { type BucketView, type RequestOf, TokenBuckets } from '#messaging';
import { Campaigns, InvalidCampaign } from '../campaigns/campaigns.js';

/** The name of a campaign's bucket. */
export function bucketOf(campaignId: string): string {
  return `campaign:${campaignId}`;
}

/** Limits that operators set. A campaign's bucket ends with the campaign. */
@Injectable()
export class CampaignBuckets {
  constructor(
    private readonly buckets: TokenBuckets,
    private readonly campaigns: Campaigns,
  ) {}

  /**
   * The bucket that a campaign is created with, if any. It is there before the campaign: nobody can click before there is
   * a limit. Asked again, it stays as it is. Without a capacity it takes bursts of one second.
   * @throws InvalidCampaign
   */
  async open({
    campaignId,
    ratePerSecond,
    capacity,
    endsAt,
  }: RequestOf<typeof CreateCampaign>): Promise<void> {
    if (ratePerSecond === undefined && capacity !== undefined)
      throw new InvalidCampaign('capacity is of a rate: send ratePerSecond too, or leave both out');
    if (ratePerSecond === undefined) return;
    const spec = { ratePerSecond, capacity: capacity ?? Math.ceil(ratePerSecond), adaptive: null };
    await this.buckets.set(bucketOf(campaignId), spec, { endsAt, keep: true });
  }

  /** @throws CampaignNotFound */
  async set({ name, ...spec }: RequestOf<typeof SetBucket>): Promise<BucketView> {
    const campaignId = /^campaign:(.*)$/.exec(name)?.[1];
    if (campaignId === undefined) return this.buckets.set(name, spec);
    const { endsAt } = await this.campaigns.get(campaignId);
    return this.buckets.set(name, spec, { endsAt });
  }
}
