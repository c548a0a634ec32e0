import { type Backoff, pauseAfter } from './backoff.js';
import { Wakeup } from './wakeup.js';

/**
 * What a turn asks for: another turn after this many ms, or at the next wake if that is sooner; or no other
 * turn.
 */
export type Turn = number | 'done';

export interface BackgroundTaskOptions {
  readonly backoff: Backoff;
  /** How long after the start the first turn is, in ms: work for which a starting app has no time. At once if left out. */
  readonly firstAfterMs?: number;
  /** Called after a turn that failed, with the pause before the next one, in ms. */
  onError(error: unknown, pauseMs: number): void;
  /** Whether turns go on after `stop()` until one is done or fails: for work that must not be left half done. */
  readonly drains?: boolean;
}

/**
 * A loop in this process: one turn after the other, with a pause that grows after failures; `wake` starts the
 * next turn early. A turn that has begun is finished before `stop` resolves.
 */
export class BackgroundTask {
  private readonly wakeup = new Wakeup();
  private readonly stopped = new AbortController();
  private running: Promise<void> | undefined;
  /** When the turn began that has not succeeded yet, or the first of several that failed. */
  private unfinishedSince: number | undefined;

  constructor(
    private readonly turn: (signal: AbortSignal) => Promise<Turn>,
    private readonly options: BackgroundTaskOptions,
  ) {}

  /** Aborted when the task is asked to stop. */
  get signal(): AbortSignal {
    return this.stopped.signal;
  }

  get stopping(): boolean {
    return this.stopped.signal.aborted;
  }

  /** How long it has made no progress, in ms: 0 while it has nothing to do. */
  get stuckMs(): number {
    return this.unfinishedSince === undefined ? 0 : performance.now() - this.unfinishedSince;
  }

  start(): void {
    this.running ??= this.run();
  }

  /** There may be something to do: cuts an ordinary pause short, but not one after a failure. */
  wake(): void {
    this.wakeup.wake();
  }

  /** Cuts any pause short and resolves when no turn is under way. */
  async stop(): Promise<void> {
    this.stopped.abort();
    this.wakeup.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    let failures = 0;
    if (this.options.firstAfterMs !== undefined) await this.wakeup.wait(this.options.firstAfterMs);
    while (!this.stopping || this.options.drains === true) {
      this.unfinishedSince ??= performance.now();
      try {
        const next = await this.turn(this.signal);
        this.unfinishedSince = undefined;
        failures = 0;
        if (next === 'done') return;
        if (next > 0) await this.wakeup.wait(next);
      } catch (error) {
        if (this.stopping) return;
        failures += 1;
        const pause = Math.round(pauseAfter(failures, this.options.backoff));
        this.options.onError(error, pause);
        await this.wakeup.sleep(pause, () => this.stopping);
      }
    }
  }
}
