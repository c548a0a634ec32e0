import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import type { Click, Decision } from '#contracts';
import { SERVICE_CONFIG } from '#service-kit';
import type { SeckillConfig } from '../seckill.config.js';
import { ClickRate } from './click-rate.js';
import { DecisionOvertaken, ReserveStockUseCase } from './reserve-stock.js';

interface Waiting {
  readonly click: Click;
  readonly again: boolean;
  resolve(decision: Decision): void;
  reject(error: unknown): void;
}

interface Lane {
  readonly waiting: Waiting[];
  busy: boolean;
}

/**
 * Gathers clicks while the transaction before is under way, and decides them together in the next: under load
 * a batch is as large as the load, alone a click waits for nobody.
 */
@Injectable()
export class ClickBatcher implements BeforeApplicationShutdown {
  private readonly logger = new Logger(ClickBatcher.name);
  private readonly lanes = new Map<string, Lane>();
  private readonly rate: ClickRate;
  private waiting = 0;
  private idle: (() => void) | undefined;

  constructor(
    private readonly useCase: ReserveStockUseCase,
    @Inject(SERVICE_CONFIG) private readonly config: SeckillConfig,
  ) {
    this.rate = new ClickRate(config.RISK_CLICKS, config.RISK_WINDOW_S * 1_000);
  }

  /** One decision for each click, in their order, committed. */
  async decide(campaignId: string, clicks: readonly Click[], again: boolean): Promise<Decision[]> {
    const now = performance.now();
    return Promise.all(
      clicks.map(async click => {
        if (!again && !this.rate.allow(click.buyerId, now)) return 'risk_rejected';
        if (this.waiting >= this.config.SECKILL_QUEUE) return 'busy';
        return this.enqueue(campaignId, click, again);
      }),
    );
  }

  /** Everything that was taken in is decided before the service goes. */
  async beforeApplicationShutdown(): Promise<void> {
    if (this.waiting > 0) await new Promise<void>(resolve => (this.idle = resolve));
  }

  private enqueue(campaignId: string, click: Click, again: boolean): Promise<Decision> {
    return new Promise((resolve, reject) => {
      let lane = this.lanes.get(campaignId);
      if (lane === undefined) this.lanes.set(campaignId, (lane = { waiting: [], busy: false }));
      lane.waiting.push({ click, again, resolve, reject });
      this.waiting += 1;
      if (!lane.busy) void this.work(campaignId, lane);
    });
  }

  private async work(campaignId: string, lane: Lane): Promise<void> {
    lane.busy = true;
    // The rest of what arrived in this turn of the event loop comes along.
    await new Promise(resolve => setImmediate(resolve));
    while (lane.waiting.length > 0) {
      const batch = lane.waiting.splice(0, this.config.SECKILL_BATCH);
      await this.settle(campaignId, batch);
      this.waiting -= batch.length;
    }
    lane.busy = false;
    this.lanes.delete(campaignId);
    if (this.waiting === 0) this.idle?.();
  }

  private async settle(campaignId: string, batch: readonly Waiting[]): Promise<void> {
    // A click that was asked again while its first copy still waits is one click: both have its decision.
    const copies = new Map<string, Waiting[]>();
    for (const each of batch) {
      const { reservationId } = each.click;
      copies.set(reservationId, [...(copies.get(reservationId) ?? []), each]);
    }
    const again = batch.filter(each => each.again).map(each => each.click.reservationId);
    const clicks = [...copies.values()].map(([first]) => first!.click);
    try {
      const decisions = await this.useCase.reserve(campaignId, clicks, again).catch((error: unknown) => {
        // A click of this batch was decided elsewhere meanwhile: look which, and decide the others.
        if (!isOvertaken(error)) throw error;
        return this.useCase.reserve(
          campaignId,
          clicks,
          clicks.map(click => click.reservationId),
        );
      });
      [...copies.values()].forEach((same, n) => same.forEach(each => each.resolve(decisions[n]!)));
    } catch (error) {
      this.logger.error(`${batch.length} clicks on ${campaignId} were not decided: ${String(error)}`);
      for (const each of batch) each.reject(error);
    }
  }
}

const UNIQUE_VIOLATION = '23505';

function isOvertaken(error: unknown): boolean {
  return error instanceof DecisionOvertaken || (error as { code?: string }).code === UNIQUE_VIOLATION;
}
