import type { DataSource } from 'typeorm';
import { storableError } from '../runtime/describe-error.js';

/**
 * Subscriptions that make no progress although nobody has paused them, with the reason that was last
 * reported.
 */

export interface Stall {
  readonly since: string;
  readonly reason: string;
}

/** How long a report stays valid: longer than the longest pause after a failure. */
const GOOD_FOR = "interval '30 seconds'";

const REPORT = `
INSERT INTO messaging.waiting AS waiting (subscription, reason) VALUES ($1, $2)
ON CONFLICT (subscription) DO UPDATE
SET reason = excluded.reason, noted_at = now(),
    since = CASE WHEN waiting.noted_at > now() - ${GOOD_FOR} THEN waiting.since ELSE now() END`;

const CLEAR = 'DELETE FROM messaging.waiting WHERE subscription = $1';

/** The current stalls. */
export const STALLS = `
SELECT subscription, since, reason FROM messaging.waiting WHERE noted_at > now() - ${GOOD_FOR}`;

export interface StallRow extends Stall {
  readonly subscription: string;
}

/** By subscription. */
export function stallsOf(rows: readonly StallRow[]): ReadonlyMap<string, Stall> {
  return new Map(
    rows.map(({ subscription, since, reason }) => [
      subscription,
      { since: new Date(since).toISOString(), reason },
    ]),
  );
}

/** Longest reason that is stored, in characters. */
const LONGEST_REASON = 500;

/** Reports that one subscription waits for an outage to end, and when it goes on. */
export class SubscriptionStall {
  /** True at first: another instance, or this one before it was killed, may have reported. */
  private reported = true;
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: DataSource,
    private readonly subscription: string,
  ) {}

  /** Best effort: a database that is unavailable cannot store the report either. */
  async report(error: unknown): Promise<void> {
    this.reported = true;
    const [reason = ''] = storableError(error, LONGEST_REASON).split('\n');
    await this.inTurn(REPORT, [this.subscription, reason]);
  }

  /** The subscription made progress: it is no longer stalled. */
  async clear(): Promise<void> {
    if (!this.reported) return;
    this.reported = false;
    await this.inTurn(CLEAR, [this.subscription]);
  }

  /** Writes reports one after the other: with partitions in parallel, the last report must win. */
  private async inTurn(sql: string, values: readonly string[]): Promise<void> {
    const before = this.last;
    this.last = before.then(async () => {
      await this.database.query(sql, [...values]).catch(() => (this.reported = true));
    });
    await this.last;
  }
}
