/** The result of a baseline. */
export interface Measured {
  readonly messages: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Cores that the client's process kept busy: near 1, its thread is the limit; far below 1, it waits. */
  readonly cores: number;
}

/** Time and processor time of this process, from now on. */
export class Stopwatch {
  private readonly startedAt = performance.now();
  private readonly usedAt = process.cpuUsage();

  stop(messages: number): Measured {
    const seconds = (performance.now() - this.startedAt) / 1_000;
    const { user, system } = process.cpuUsage(this.usedAt);
    return { messages, seconds, perSecond: messages / seconds, cores: (user + system) / 1e6 / seconds };
  }
}
