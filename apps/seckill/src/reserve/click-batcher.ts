import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import type { Click, Decision } from '#contracts';
import { Batcher } from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import type { SeckillConfig } from '../seckill.config.js';
import { ClickRate } from './click-rate.js';
import { DecisionOvertaken, ReserveStockUseCase } from './reserve-stock.js';

/** A click, and whether it may be a repeated one. */
interface Asked {
  readonly click: Click;
  readonly again: boolean;
}

/**
 * Gathers clicks while the previous transaction runs, and decides them together in the next one. Batches grow
 * with the load; a single click does not wait.
 */
@Injectable()
export class ClickBatcher implements BeforeApplicationShutdown {
  private readonly logger = new Logger(ClickBatcher.name);
  private readonly deciding: Batcher<Asked, Decision>;
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

  /** One committed decision for each click, in the order of the clicks. */
  async decide(campaignId: string, clicks: readonly Click[], again: boolean): Promise<Decision[]> {
    const now = performance.now();
    return Promise.all(
      clicks.map(async click => {
        if (!again && !this.rate.allow(click.buyerId, now)) return 'risk_rejected';
        if (this.deciding.size >= this.config.SECKILL_QUEUE) return 'busy';
        return this.deciding.add({ click, again }, campaignId);
      }),
    );
  }

  /** Decides every accepted click before the service shuts down. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.deciding.settled();
  }

  private async settle(campaignId: string, batch: readonly Asked[]): Promise<Decision[]> {
    // A click that is repeated while its first copy still waits is one click: both copies get its decision.
    const clicks = [...new Map(batch.map(({ click }) => [click.reservationId, click])).values()];
    const again = batch.filter(each => each.again).map(each => each.click.reservationId);
    try {
      const decided = await this.useCase.reserve(campaignId, clicks, again).catch((error: unknown) => {
        // A click of this batch was decided elsewhere meanwhile: find out which, and decide the others.
        if (!isOvertaken(error)) throw error;
        const all = clicks.map(click => click.reservationId);
        return this.useCase.reserve(campaignId, clicks, all);
      });
      const decisions = new Map(clicks.map((click, n) => [click.reservationId, decided[n]!]));
      return batch.map(({ click }) => decisions.get(click.reservationId)!);
    } catch (error) {
      this.logger.error(`${batch.length} clicks on ${campaignId} were not decided: ${String(error)}`);
      throw error;
    }
  }
}

const UNIQUE_VIOLATION = '23505';

function isOvertaken(error: unknown): boolean {
  return error instanceof DecisionOvertaken || (error as { code?: string }).code === UNIQUE_VIOLATION;
}
