import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { MESSAGING_DATABASE, MESSAGING_LIMITS } from '../nest/options.js';
import { FORGET_RECEIPTS } from './sql.js';

const HOUR_MS = 3_600_000;

/** Removes receipts that no copy can need any more, hourly and in small steps. */
@Injectable()
export class ReceiptPurge implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(ReceiptPurge.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(@Inject(MESSAGING_DATABASE) private readonly database: DataSource) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.purge().catch((error: unknown) => this.logger.warn(`receipts were not purged: ${String(error)}`));
    }, HOUR_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Returns how many it removed. */
  async purge(keepDays: number = MESSAGING_LIMITS.receiptDays): Promise<number> {
    for (let total = 0; ;) {
      const [, removed] = (await this.database.query(FORGET_RECEIPTS, [
        `${keepDays} days`,
        MESSAGING_LIMITS.receiptPurge,
      ])) as [unknown, number];
      total += removed;
      if (removed < MESSAGING_LIMITS.receiptPurge) return total;
    }
  }
}
