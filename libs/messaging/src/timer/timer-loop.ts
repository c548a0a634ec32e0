import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { Wakeup } from '../flow/wakeup.js';
import { FIRE, NEXT_DUE } from './sql.js';

export interface TimerLimits {
  /** Most timers fired in one transaction. */
  readonly batch: number;
  /** Longest sleep, in ms: how late a timer can be that another instance scheduled. */
  readonly pollMs: number;
}

/** Fires what is due. Every instance may run one: a timer that one has taken, the others pass over. */
export class TimerLoop {
  private readonly logger = new Logger(TimerLoop.name);
  private readonly wakeup = new Wakeup();
  private running: Promise<void> | undefined;
  private stopping = false;

  constructor(
    private readonly database: DataSource,
    private readonly onFired: () => void,
    private readonly limits: TimerLimits,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  /** A timer was scheduled. */
  wake(): void {
    this.wakeup.wake();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeup.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      try {
        const fired = (await this.database.query(FIRE, [this.limits.batch])) as { count: number }[];
        const count = fired.reduce((total, each) => total + each.count, 0);
        if (count > 0) this.onFired();
        if (count === this.limits.batch) continue;
        const [{ ms }] = (await this.database.query(NEXT_DUE)) as [{ ms: number | null }];
        await this.wakeup.wait(Math.max(1, Math.min(ms ?? this.limits.pollMs, this.limits.pollMs)));
      } catch (error) {
        this.logger.warn(`timers wait: ${String(error)}`);
        await this.wakeup.sleep(this.limits.pollMs, () => this.stopping);
      }
    }
  }
}
