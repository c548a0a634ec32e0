import { Inject, Injectable } from '@nestjs/common';
import { type Click, type Decision, MAX_CLICKS, ReserveStock } from '#contracts';
import { RequestClient, ServiceUnavailable } from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import type { GatewayConfig } from '../gateway.config.js';
import { SoldOutCampaigns } from './sold-out.js';

/** How long a click is asked about before its buyer is told to come back, in ms. */
const DEADLINE_MS = 10_000;
/** How long one instance may take before the next is asked, in ms. */
const ATTEMPT_MS = 4_000;

interface Waiting {
  readonly click: Click;
  resolve(decision: Decision): void;
  reject(error: unknown): void;
}

/**
 * Sends clicks on: those of one moment on one campaign in one request, to the instance that the campaign falls
 * to. A click carries the ids it will have, so that asking again after a lost answer is the same click.
 */
@Injectable()
export class Clicks {
  private readonly gathering = new Map<string, Waiting[]>();
  private waiting = 0;

  constructor(
    private readonly requests: RequestClient,
    private readonly soldOut: SoldOutCampaigns,
    @Inject(SERVICE_CONFIG) private readonly config: GatewayConfig,
  ) {}

  /** What is decided of a click. @throws ServiceUnavailable */
  decide(campaignId: string, click: Click): Promise<Decision> {
    if (this.soldOut.has(campaignId)) return Promise.resolve('sold_out');
    if (this.waiting >= this.config.GATEWAY_CLICKS) return Promise.resolve('busy');
    this.waiting += 1;
    const decided = new Promise<Decision>((resolve, reject) => {
      const waiting = { click, resolve, reject };
      const gathered = this.gathering.get(campaignId);
      if (gathered !== undefined) {
        gathered.push(waiting);
        return;
      }
      this.gathering.set(campaignId, [waiting]);
      setImmediate(() => this.flush(campaignId));
    });
    return decided.finally(() => (this.waiting -= 1));
  }

  private flush(campaignId: string): void {
    const gathered = this.gathering.get(campaignId)!;
    this.gathering.delete(campaignId);
    for (let from = 0; from < gathered.length; from += MAX_CLICKS) {
      const batch = gathered.slice(from, from + MAX_CLICKS);
      this.ask(
        campaignId,
        batch.map(each => each.click),
      ).then(
        decisions => batch.forEach((each, n) => each.resolve(decisions[n]!)),
        (error: unknown) => batch.forEach(each => each.reject(error)),
      );
    }
  }

  private async ask(campaignId: string, clicks: Click[]): Promise<readonly Decision[]> {
    const deadline = performance.now() + DEADLINE_MS;
    for (let passedOver = 0; ; passedOver += 1) {
      const deadlineMs = Math.min(ATTEMPT_MS, deadline - performance.now());
      try {
        const request = { campaignId, clicks, again: passedOver > 0 };
        const options = { routingKey: campaignId, deadlineMs, passedOver };
        const { decisions } = await this.requests.ask(ReserveStock, request, options);
        return decisions;
      } catch (error) {
        if (!(error instanceof ServiceUnavailable) || performance.now() + 100 > deadline) throw error;
        await new Promise(resolve => setTimeout(resolve, 50));
      }
    }
  }
}
