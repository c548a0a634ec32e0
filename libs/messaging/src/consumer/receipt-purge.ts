import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { BackgroundTask } from '../runtime/background-task.js';
import { forgetReceipts } from './inbox.js';

export interface ReceiptPurgeLimits {
  /** How long a receipt is kept, in days. Must be longer than any copy can be late. */
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

/** Removes receipts that no copy can need any more, hourly and in small batches. */
export class ReceiptPurge {
  private readonly logger = new Logger(ReceiptPurge.name);
  private readonly task: BackgroundTask;
  private begun = false;

  constructor(
    private readonly database: DataSource,
    private readonly limits: ReceiptPurgeLimits = DEFAULT_RECEIPT_PURGE_LIMITS,
  ) {
    const { pollMs } = limits;
    const turn = async () => {
      // Skip the first turn: a starting service has other things to do.
      if (this.begun) await this.purge();
      this.begun = true;
      return pollMs;
    };
    this.task = new BackgroundTask(turn, {
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
  async purge(keepDays: number = this.limits.keepDays): Promise<number> {
    let total = 0;
    for (;;) {
      const removed = await forgetReceipts(this.database, keepDays, this.limits.batch);
      total += removed;
      if (removed < this.limits.batch || this.task.stopping) return total;
    }
  }
}
