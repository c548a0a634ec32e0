import { Injectable } from '@nestjs/common';
import { type CampaignMode, GetCampaign } from '#contracts';
import { BoundedMap } from '#messaging';
import { RequestClient } from '#requests';

/** Maximum number of campaigns to remember. Beyond it, the oldest is forgotten and asked about again. */
const MAX = 10_000;

/** How campaigns take clicks. A campaign's mode never changes, so it is asked once. */
@Injectable()
export class CampaignModes {
  private readonly modes = new BoundedMap<string, CampaignMode | Promise<CampaignMode>>(MAX);

  constructor(private readonly requests: RequestClient) {}

  /** @throws RequestRefused where there is no such campaign, ServiceUnavailable */
  of(campaignId: string): CampaignMode | Promise<CampaignMode> {
    const known = this.modes.get(campaignId);
    if (known !== undefined) return known;
    const asked = this.ask(campaignId);
    this.modes.set(campaignId, asked);
    return asked;
  }

  private async ask(campaignId: string): Promise<CampaignMode> {
    try {
      const { mode } = await this.requests.ask(GetCampaign, { campaignId }, { repeatable: true });
      if (this.modes.has(campaignId)) this.modes.set(campaignId, mode);
      return mode;
    } catch (error) {
      this.modes.delete(campaignId);
      throw error;
    }
  }
}
