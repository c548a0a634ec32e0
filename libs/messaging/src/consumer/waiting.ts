import type { DataSource } from 'typeorm';
import { accountOf } from '../retry/policy.js';

/** Subscriptions that do not come forward although nobody has paused them, and why: the last word of any instance. */
export const CREATE_WAITING = `
CREATE TABLE messaging.waiting (
  subscription text NOT NULL,
  since        timestamptz NOT NULL DEFAULT now(),
  reason       text NOT NULL,
  CONSTRAINT waiting_pk PRIMARY KEY (subscription)
);`;

const NOTE = `
INSERT INTO messaging.waiting (subscription, reason) VALUES ($1, $2)
ON CONFLICT (subscription) DO UPDATE SET reason = excluded.reason`;

const CLEAR = 'DELETE FROM messaging.waiting WHERE subscription = $1';

export const LIST_WAITING = 'SELECT subscription, since, reason FROM messaging.waiting';

/** Longest reason that is kept, in characters. */
const LONGEST_REASON = 500;

/** Says for one subscription that it waits for the world, and that it goes on. */
export class Waiting {
  /** Unknown at first: another instance, or this one before it was killed, may have left word. */
  private noted = true;

  constructor(
    private readonly database: DataSource,
    private readonly subscription: string,
  ) {}

  /** Best effort: a database that is away takes no word either. */
  async note(error: unknown): Promise<void> {
    this.noted = true;
    const [firstLine = ''] = accountOf(error).split('\n');
    const reason = firstLine.replaceAll('\0', '\uFFFD').slice(0, LONGEST_REASON).toWellFormed();
    await this.database.query(NOTE, [this.subscription, reason]).catch(() => undefined);
  }

  /** Something was done: it waits no longer. */
  async clear(): Promise<void> {
    if (!this.noted) return;
    this.noted = false;
    await this.database.query(CLEAR, [this.subscription]).catch(() => (this.noted = true));
  }
}
