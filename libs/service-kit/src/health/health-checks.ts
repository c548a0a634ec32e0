import { Logger } from '@nestjs/common';

/** What must work for the service to be ready. */
export class HealthChecks {
  private readonly logger = new Logger(HealthChecks.name);
  private readonly reasons = new Map<string, string | undefined>();
  private readonly checks = new Map<string, () => Promise<void>>();

  add(name: string, check: () => Promise<void>): void {
    this.checks.set(name, check);
  }

  /** The state of each: `up` or `down`. The reason is in the log alone: anyone may ask. */
  async run(): Promise<{ ready: boolean; checks: Record<string, string> }> {
    const results = await Promise.all(
      [...this.checks].map(async ([name, check]) => {
        try {
          await check();
          this.note(name, undefined);
          return [name, 'up'] as const;
        } catch (error) {
          this.note(name, error instanceof Error ? error.message : String(error));
          return [name, 'down'] as const;
        }
      }),
    );
    return { ready: results.every(([, state]) => state === 'up'), checks: Object.fromEntries(results) };
  }

  /** Logs a reason once, when it changes. */
  private note(name: string, reason: string | undefined): void {
    if (this.reasons.get(name) === reason) return;
    this.reasons.set(name, reason);
    if (reason === undefined) this.logger.log(`${name} is up`);
    else this.logger.warn(`${name} is down: ${reason}`);
  }
}
