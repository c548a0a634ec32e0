import { Controller } from '@nestjs/common';
import { TellDecisions } from '#contracts';
import type { ReplyOf, RequestOf } from '#messaging';
import { HandleRequest } from '#requests';
import { FlashSaleClock } from './flash-sale-clock.js';
import { QueuedClicks } from './queued-clicks.js';
import { SoldOutCampaigns } from './sold-out.js';

/** Takes the decisions on clicks that this gateway put on the queue. */
@Controller()
export class TellDecisionsController {
  constructor(
    private readonly clicks: QueuedClicks,
    private readonly clock: FlashSaleClock,
    private readonly soldOut: SoldOutCampaigns,
  ) {}

  @HandleRequest(TellDecisions)
  tell({ decisions, now, soldOut }: RequestOf<typeof TellDecisions>): ReplyOf<typeof TellDecisions> {
    if (now !== undefined) this.clock.learn(now);
    if (soldOut !== undefined)
      this.soldOut.learn(soldOut.campaignId, soldOut.version, Date.parse(soldOut.endsAt));
    for (const { reservationId, decision } of decisions) this.clicks.decided(reservationId, decision);
    return {};
  }
}
