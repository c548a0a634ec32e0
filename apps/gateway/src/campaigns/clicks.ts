import { Inject, Injectable, Optional } from '@nestjs/common';
import { type Click, type Decision, MAX_CLICKS, ReserveStock } from '#contracts';
import { Batcher, DomainError } from '#messaging';
import { RequestClient, ServiceUnavailable } from '#requests';
import { SERVICE_CONFIG } from '#service-kit';
import type { GatewayConfig } from '../gateway.config.js';
import { FlashSaleClock } from './flash-sale-clock.js';
import { SoldOutCampaigns } from './sold-out.js';

/** In ms from the click: until when it may be decided, and until when its answer is waited for. */
export interface ClickLimits {
  readonly decideMs: number;
  readonly answerMs: number;
  /** How long one instance may take before the next is asked, in ms. */
  readonly attemptMs: number;
}

const LIMITS: ClickLimits = { decideMs: 8_000, answerMs: 10_000, attemptMs: 4_000 };

/** No answer came in time. A click that was not decided by its deadline is not decided any more. */
export class ClickUndecided extends DomainError {
  readonly code = 'unavailable';
  constructor(readonly campaignId: string) {
    super(
      'the flash sale did not answer in time; if the click was decided before its deadline, ' +
        'its order is in GET /api/orders',
    );
  }
}

/**
 * Forwards clicks. Simultaneous clicks on a campaign go in one request to the instance that the campaign is
 * routed to. A click carries the ids it will have, so that a retry after a lost answer is the same click. It also
 * carries its deadline, by the clock of the flash sale's database: a buyer who was refused is never sold to afterward.
 */
@Injectable()
export class Clicks {
  private readonly asking: Batcher<Click, Decision>;
  /** Clicks that may have been asked before. */
  private readonly askingAgain: Batcher<Click, Decision>;

  constructor(
    private readonly requests: RequestClient,
    private readonly clock: FlashSaleClock,
    private readonly soldOut: SoldOutCampaigns,
    @Inject(SERVICE_CONFIG) private readonly config: GatewayConfig,
    @Optional() private readonly limits: ClickLimits = LIMITS,
  ) {
    const options = { maxItems: MAX_CLICKS, oneAtATime: false };
    this.asking = new Batcher((clicks, campaignId) => this.ask(campaignId, clicks, false), options);
    this.askingAgain = new Batcher((clicks, campaignId) => this.ask(campaignId, clicks, true), options);
  }

  /**
   * Gets the decision on a click.
   * @param again whether it may have been asked before, and decided
   * @throws ClickUndecided
   */
  async decide(campaignId: string, click: Click, again = false): Promise<Decision> {
    if (this.asking.size + this.askingAgain.size >= this.config.GATEWAY_CLICKS) return 'busy';
    return (again ? this.askingAgain : this.asking).add(click, campaignId);
  }

  private async ask(
    campaignId: string,
    clicks: readonly Click[],
    again: boolean,
  ): Promise<readonly Decision[]> {
    const { decideMs, answerMs, attemptMs } = this.limits;
    const startedAt = performance.now();
    const [decideBy, giveUpAt] = [startedAt + decideMs, startedAt + answerMs];
    let [deadline, skip] = [0, 0];
    for (let asked = 0; ; asked += 1) {
      // Never lower than one that was sent before: a copy with it may still wait somewhere. While the other clock is
      // not known, 0 only asks for the time.
      deadline = Math.max(deadline, this.clock.at(decideBy) ?? 0);
      const deadlineMs = Math.max(1, Math.min(attemptMs, giveUpAt - performance.now()));
      try {
        const request = {
          campaignId,
          clicks: [...clicks],
          again: again || asked > 0,
          deadline,
        };
        const options = { routingKey: campaignId, deadlineMs, skip };
        const { decisions, now, soldOut } = await this.requests.ask(ReserveStock, request, options);
        if (soldOut !== undefined)
          this.soldOut.learn(campaignId, soldOut.version, Date.parse(soldOut.endsAt));
        if (now !== undefined) this.clock.learn(now);
        // Before the time is up, `expired` only says that our view of the clock was too early.
        if (!decisions.includes('expired') || performance.now() >= decideBy) return decisions;
      } catch (error) {
        if (!(error instanceof ServiceUnavailable)) throw error;
        if (performance.now() + 100 > giveUpAt) throw new ClickUndecided(campaignId);
        skip += 1;
        await new Promise(resolve => setTimeout(resolve, 50));
      }
    }
  }
}
