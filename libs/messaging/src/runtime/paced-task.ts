import type { EntityManager } from 'typeorm';
import { afterCommit } from './after-commit.js';
import { BackgroundTask } from './background-task.js';

export interface PacedTaskOptions {
  /** The least time between the ends and the starts of two turns, in ms. */
  readonly everyMs: number;
  /** How often to look when nobody calls, in ms: a call is lost when a process dies, or belongs to another instance. */
  readonly lookMs: number;
  readonly onError: (error: unknown) => void;
}

/**
 * Background work that is done at once when it is called after a pause, and at most once per interval while there is more
 * of it. With nothing to do it sleeps.
 */
export class PacedTask {
  private readonly task: BackgroundTask;
  private called = false;
  private asleep = false;
  private readonly wake = () => this.call();

  /** @param work one turn. @returns whether there is more to do */
  constructor(work: () => Promise<boolean>, { everyMs, lookMs, onError }: PacedTaskOptions) {
    const turn = async () => {
      [this.called, this.asleep] = [false, false];
      const more = await work();
      this.asleep = !more && !this.called;
      return this.asleep ? lookMs : everyMs;
    };
    this.task = new BackgroundTask(turn, { backoff: { firstMs: everyMs, longestMs: lookMs }, onError });
  }

  start(): void {
    this.task.start();
  }

  /** Resolves when no turn is under way. */
  stop(): Promise<void> {
    return this.task.stop();
  }

  /** There is something to do. */
  call(): void {
    this.called = true;
    if (!this.asleep) return;
    this.asleep = false;
    this.task.wake();
  }

  /** There is something to do once the transaction has committed. */
  callAfter(tx: EntityManager): void {
    afterCommit(tx, this.wake);
  }
}
