import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { BackgroundTask } from '../runtime/background-task.js';
import { partitionName } from '../message/received-message.js';
import type { Transport } from '../transport/transport.js';
import { forgetReceipts, subscriptionsWithReceipts } from './inbox.js';
import type { Subscription } from './subscription.js';

export interface ReceiptPurgeLimits {
  /** How long a receipt is kept at least, in days. A copy is appended within this time of the first. */
  readonly keepDays: number;
  /** Receipts removed in one statement. */
  readonly batch: number;
  /** How often receipts are purged, in ms. */
  readonly pollMs: number;
}

export const DEFAULT_RECEIPT_PURGE_LIMITS: ReceiptPurgeLimits = {
  keepDays: 7,
  batch: 5_000,
  pollMs: 3_600_000,
};

/** Where a group's partitions ended at a moment. */
interface Mark {
  readonly at: Date;
  readonly heads: ReadonlyMap<string, number>;
}

/**
 * Removes receipts that no copy can need any more, hourly and in small batches. A receipt is not old by its age alone:
 * the group must also have settled everything that was in the queue `keepDays` after the message came. While a
 * subscription is paused or behind, its receipts stay.
 */
export class ReceiptPurge {
  private readonly logger = new Logger(ReceiptPurge.name);
  private readonly task: BackgroundTask;
  private readonly marks = new Map<string, Mark>();

  /** @param declared the subscriptions that the service's controllers declare, once they are known */
  constructor(
    private readonly database: DataSource,
    private readonly transport: Pick<Transport, 'lag'>,
    private readonly declared: () => readonly Subscription[],
    private readonly limits: ReceiptPurgeLimits = DEFAULT_RECEIPT_PURGE_LIMITS,
  ) {
    const { pollMs } = limits;
    const turn = async () => {
      await this.purge();
      return pollMs;
    };
    this.task = new BackgroundTask(turn, {
      firstAfterMs: pollMs,
      backoff: { firstMs: pollMs, longestMs: pollMs },
      onError: error => this.logger.warn(`receipts were not purged: ${String(error)}`),
    });
  }

  start(): void {
    this.task.start();
  }

  async stop(): Promise<void> {
    await this.task.stop();
  }

  /** @returns how many it removed */
  async purge(): Promise<number> {
    let total = 0;
    for (const { subscription, now } of await subscriptionsWithReceipts(this.database)) {
      const settledAt = await this.settledAt(subscription, now);
      if (settledAt !== undefined) total += await this.forget(subscription, settledAt);
    }
    return total;
  }

  /** A moment up to which the group has settled everything that was in the queue then; undefined if none is known. */
  private async settledAt(name: string, now: Date): Promise<Date | undefined> {
    // Nobody reads for a subscription that is declared no more.
    if (!this.declared().some(each => each.name === name)) return now;
    const partitions = await this.transport.lag(name);
    const mark = this.marks.get(name);
    const isPast = partitions.every(each => each.committed >= (mark?.heads.get(partitionName(each)) ?? 0));
    if (mark !== undefined && !isPast) return undefined;
    this.marks.set(name, {
      at: now,
      heads: new Map(partitions.map(each => [partitionName(each), each.head])),
    });
    if (partitions.every(({ lag }) => lag === 0)) return now;
    return mark?.at;
  }

  private async forget(subscription: string, settledAt: Date): Promise<number> {
    const { keepDays, batch } = this.limits;
    const before = new Date(settledAt.getTime() - keepDays * 86_400_000);
    for (let total = 0; ;) {
      const removed = await forgetReceipts(this.database, subscription, before, batch);
      total += removed;
      if (removed < batch || this.task.stopping) return total;
    }
  }
}
