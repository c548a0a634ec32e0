import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import type { Click, Decision } from '#contracts';
import { Batcher } from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import type { SeckillConfig } from '../seckill.config.js';
import { ClickRate } from './click-rate.js';
import type { DatedClick } from './decide.js';
import { type Decided, DecisionOvertaken, ReserveStockUseCase } from './reserve-stock.js';

/** A click, and whether it may be a repeated one. */
interface Asked {
  readonly click: DatedClick;
  readonly again: boolean;
}

interface Answer {
  readonly decision: Decision;
  readonly now?: number | undefined;
  readonly soldOut?: Decided['soldOut'];
}

/**
 * Gathers clicks while the previous transaction runs, and decides them together in the next one. Batches grow
 * with the load; a single click does not wait.
 */
@Injectable()
export class ClickBatcher implements BeforeApplicationShutdown {
  private readonly logger = new Logger(ClickBatcher.name);
  private readonly deciding: Batcher<Asked, Answer>;
  private readonly rate: ClickRate;

  constructor(
    private readonly useCase: ReserveStockUseCase,
    @Inject(SERVICE_CONFIG) private readonly config: SeckillConfig,
  ) {
    this.rate = new ClickRate(config.RISK_CLICKS, config.RISK_WINDOW_S * 1_000);
    this.deciding = new Batcher((batch, campaignId) => this.settle(campaignId, batch), {
      maxItems: config.SECKILL_BATCH,
      oneAtATime: true,
    });
  }

  /**
   * One committed decision for each click, in the order of the clicks.
   * @param deadline until when they may be decided, in ms since 1970 by the database's clock
   */
  async decide(
    campaignId: string,
    clicks: readonly Click[],
    again: boolean,
    deadline = Infinity,
  ): Promise<Decided> {
    const at = performance.now();
    const answers = await Promise.all(
      clicks.map(async (click): Promise<Answer> => {
        if (!again && !this.rate.allow(click.buyerId, at)) return { decision: 'risk_rejected' };
        // A repeated click may be decided already, so it is never told `busy`. The gateways bound how many there are.
        if (!again && this.deciding.size >= this.config.SECKILL_QUEUE) return { decision: 'busy' };
        return this.deciding.add({ click: { ...click, deadline }, again }, campaignId);
      }),
    );
    return decidedOf(answers);
  }

  /** The same for clicks that come from the queue: each has its own deadline, and may have been decided before. */
  async decideQueued(campaignId: string, clicks: readonly DatedClick[]): Promise<Decided> {
    const answers = await Promise.all(
      clicks.map(click => this.deciding.add({ click, again: true }, campaignId)),
    );
    return decidedOf(answers);
  }

  /** Decides every accepted click before the service shuts down. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.deciding.settled();
  }

  private async settle(campaignId: string, batch: readonly Asked[]): Promise<Answer[]> {
    // A click that is repeated while its first copy still waits is one click: both copies get its decision.
    const clicks = [...new Map(batch.map(({ click }) => [click.reservationId, click])).values()];
    const again = batch.filter(each => each.again).map(each => each.click.reservationId);
    try {
      const {
        decisions: decided,
        now,
        soldOut,
      } = await this.useCase.reserve(campaignId, clicks, again).catch((error: unknown) => {
        // A click of this batch was decided elsewhere meanwhile: find out which, and decide the others.
        if (!isOvertaken(error)) throw error;
        const all = clicks.map(click => click.reservationId);
        return this.useCase.reserve(campaignId, clicks, all);
      });
      const decisions = new Map(clicks.map((click, n) => [click.reservationId, decided[n]!]));
      return batch.map(({ click }) => ({ decision: decisions.get(click.reservationId)!, now, soldOut }));
    } catch (error) {
      this.logger.error(`${batch.length} clicks on ${campaignId} were not decided: ${String(error)}`);
      throw error;
    }
  }
}

function decidedOf(answers: readonly Answer[]): Decided {
  const times = answers.flatMap(({ now }) => now ?? []);
  const decisions = answers.map(({ decision }) => decision);
  const decided = times.length > 0 ? { decisions, now: Math.max(...times) } : { decisions };
  const soldOut = answers.findLast(answer => answer.soldOut !== undefined)?.soldOut;
  return soldOut === undefined ? decided : { ...decided, soldOut };
}

const UNIQUE_VIOLATION = '23505';

function isOvertaken(error: unknown): boolean {
  return error instanceof DecisionOvertaken || (error as { code?: string }).code === UNIQUE_VIOLATION;
}
