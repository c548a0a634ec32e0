import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { BackgroundTask, type Turn } from '../runtime/background-task.js';
import { FIRE, NEXT_DUE } from './timer-sql.js';

export interface TimerLimits {
  /** Most timers fired in one transaction. */
  readonly batch: number;
  /** Longest sleep, in ms. Nothing wakes it for a timer that another instance scheduled. */
  readonly pollMs: number;
}

export const DEFAULT_TIMER_LIMITS: TimerLimits = { batch: 500, pollMs: 30_000 };

/** How long to leave a due timer alone that a transaction has locked, in ms. */
const LOCKED_MS = 250;
/** The pause after a failure, in ms. */
const RETRY_MS = 1_000;

/** Fires due timers. Every instance may run a loop: each skips the timers that another has locked. */
export class TimerLoop {
  private readonly logger = new Logger(TimerLoop.name);
  private readonly task: BackgroundTask;

  constructor(
    private readonly database: DataSource,
    private readonly onFired: () => void,
    private readonly limits: TimerLimits = DEFAULT_TIMER_LIMITS,
  ) {
    this.task = new BackgroundTask(() => this.turn(), {
      backoff: { firstMs: RETRY_MS, longestMs: RETRY_MS },
      onError: error => this.logger.warn(`timers are delayed: ${String(error)}`),
    });
  }

  start(): void {
    this.task.start();
  }

  /** A timer was scheduled. */
  wake(): void {
    this.task.wake();
  }

  async stop(): Promise<void> {
    await this.task.stop();
  }

  private async turn(): Promise<Turn> {
    const { batch, pollMs } = this.limits;
    const fired = (await this.database.query(FIRE, [batch])) as { count: number }[];
    const count = fired.reduce((total, each) => total + each.count, 0);
    if (count > 0) this.onFired();
    if (count === batch) return 0;
    const [{ ms }] = (await this.database.query(NEXT_DUE)) as [{ ms: number | null }];
    // One that is due already is locked by a transaction that is to change it.
    if (ms !== null && ms <= 0 && count === 0) return LOCKED_MS;
    return Math.max(1, Math.min(ms ?? pollMs, pollMs));
  }
}
