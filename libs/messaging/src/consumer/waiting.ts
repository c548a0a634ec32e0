import type { DataSource } from 'typeorm';
import { keptAccount } from '../retry/policy.js';

/** Subscriptions that do not come forward although nobody has paused them, and why: the last word of any instance. */
export const CREATE_WAITING = `
CREATE TABLE messaging.waiting (
  subscription text NOT NULL,
  since        timestamptz NOT NULL DEFAULT now(),
  -- Who waits says so again and again; one that was killed meanwhile does not.
  noted_at     timestamptz NOT NULL DEFAULT now(),
  reason       text NOT NULL,
  CONSTRAINT waiting_pk PRIMARY KEY (subscription)
);`;

/** How long a word is good for: longer than the longest pause after a failure. */
const GOOD_FOR = "interval '30 seconds'";

const NOTE = `
INSERT INTO messaging.waiting AS waiting (subscription, reason) VALUES ($1, $2)
ON CONFLICT (subscription) DO UPDATE
SET reason = excluded.reason, noted_at = now(),
    since = CASE WHEN waiting.noted_at > now() - ${GOOD_FOR} THEN waiting.since ELSE now() END`;

const CLEAR = 'DELETE FROM messaging.waiting WHERE subscription = $1';

export const LIST_WAITING = `
SELECT subscription, since, reason FROM messaging.waiting WHERE noted_at > now() - ${GOOD_FOR}`;

/** Longest reason that is kept, in characters. */
const LONGEST_REASON = 500;

/** Says for one subscription that it waits for the world, and that it goes on. */
export class Waiting {
  /** Unknown at first: another instance, or this one before it was killed, may have left word. */
  private noted = true;
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: DataSource,
    private readonly subscription: string,
  ) {}

  /** Best effort: a database that is away takes no word either. */
  async note(error: unknown): Promise<void> {
    this.noted = true;
    const [reason = ''] = keptAccount(error, LONGEST_REASON).split('\n');
    await this.inTurn(NOTE, [this.subscription, reason]);
  }

  /** Something was done: it waits no longer. */
  async clear(): Promise<void> {
    if (!this.noted) return;
    this.noted = false;
    await this.inTurn(CLEAR, [this.subscription]);
  }

  /** One word after the other: partitions side by side must not have the last one come first. */
  private async inTurn(sql: string, values: readonly string[]): Promise<void> {
    const before = this.last;
    this.last = before.then(async () => {
      await this.database.query(sql, [...values]).catch(() => (this.noted = true));
    });
    await this.last;
  }
}
