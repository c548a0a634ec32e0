import { Inject, Injectable } from '@nestjs/common';
import { type Click, type Decision, MAX_CLICKS, ReserveStock } from '#contracts';
import { Batcher } from '#messaging';
import { RequestClient, ServiceUnavailable } from '#requests';
import { SERVICE_CONFIG } from '#service-kit';
import type { GatewayConfig } from '../gateway.config.js';
import { SoldOutCampaigns } from './sold-out.js';

/** How long to retry a click before its buyer has to try again, in ms. */
const DEADLINE_MS = 10_000;
/** How long one instance may take before the next is asked, in ms. */
const ATTEMPT_MS = 4_000;

/**
 * Forwards clicks. Simultaneous clicks on a campaign go in one request to the instance that the campaign is
 * routed to. A click carries the ids it will have, so that a retry after a lost answer is the same click.
 */
@Injectable()
export class Clicks {
  private readonly asking: Batcher<Click, Decision>;

  constructor(
    private readonly requests: RequestClient,
    private readonly soldOut: SoldOutCampaigns,
    @Inject(SERVICE_CONFIG) private readonly config: GatewayConfig,
  ) {
    this.asking = new Batcher((clicks, campaignId) => this.ask(campaignId, clicks), {
      maxItems: MAX_CLICKS,
      oneAtATime: false,
    });
  }

  /** Gets the decision on a click. @throws ServiceUnavailable */
  async decide(campaignId: string, click: Click): Promise<Decision> {
    if (this.soldOut.has(campaignId)) return 'sold_out';
    if (this.asking.size >= this.config.GATEWAY_CLICKS) return 'busy';
    return this.asking.add(click, campaignId);
  }

  private async ask(campaignId: string, clicks: readonly Click[]): Promise<readonly Decision[]> {
    const deadline = performance.now() + DEADLINE_MS;
    for (let skip = 0; ; skip += 1) {
      const deadlineMs = Math.min(ATTEMPT_MS, deadline - performance.now());
      try {
        const request = { campaignId, clicks: [...clicks], again: skip > 0 };
        const options = { routingKey: campaignId, deadlineMs, skip };
        const { decisions } = await this.requests.ask(ReserveStock, request, options);
        return decisions;
      } catch (error) {
        if (!(error instanceof ServiceUnavailable) || performance.now() + 100 > deadline) throw error;
        await new Promise(resolve => setTimeout(resolve, 50));
      }
    }
  }
}
