import { Controller } from '@nestjs/common';
import { DECIDE_REQUESTED, MAX_CLICKS, SeckillRequested } from '#contracts';
import { Handle } from '#messaging';
import { ClickBatcher } from './click-batcher.js';
import { type DecidedClick, DecisionReplies, type Told } from './decision-replies.js';

/** Clicks of one campaign from one gateway, and what became of them. */
interface Reply {
  readonly to: string;
  readonly decided: readonly DecidedClick[];
  readonly told: Told;
}

/**
 * Decides the clicks that wait on the queue. A decision is a transaction of its own, so that it is told as soon as it is
 * committed. A click that is delivered again was decided before, and gets the same decision.
 */
@Controller()
export class DecideRequestedHandler {
  constructor(
    private readonly batcher: ClickBatcher,
    private readonly replies: DecisionReplies,
  ) {}

  // #region handler
  @Handle(SeckillRequested, { name: DECIDE_REQUESTED, batch: MAX_CLICKS })
  async decide(requests: readonly SeckillRequested[]): Promise<void> {
    const byCampaign = Map.groupBy(requests, ({ campaignId }) => campaignId);
    const replies = await Promise.all([...byCampaign].map(([id, each]) => this.decideFor(id, each)));
    for (const { to, decided, told } of replies.flat()) this.replies.tell(to, decided, told);
  }
  // #endregion

  private async decideFor(campaignId: string, requests: readonly SeckillRequested[]): Promise<Reply[]> {
    const clicks = requests.map(({ click, deadline }) => ({ ...click, deadline }));
    const { decisions, now, soldOut } = await this.batcher.decideQueued(campaignId, clicks);
    const decided = requests.map(({ replyTo, click: { reservationId } }, n) => ({
      replyTo,
      click: { reservationId, decision: decisions[n]! },
    }));
    return [...Map.groupBy(decided, ({ replyTo }) => replyTo)].map(([to, each]) => ({
      to,
      decided: each.map(({ click }) => click),
      told: { now, soldOut: soldOut && { campaignId, ...soldOut } },
    }));
  }
}
