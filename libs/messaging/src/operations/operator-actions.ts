import type { DataSource, EntityManager } from 'typeorm';
import type { OperatorAction } from './states.js';

/**
 * What operators did, kept forever: a letter may be decided on more than once, a subscription paused again.
 */

const RECORD = `
INSERT INTO messaging.operator_action (acted_by, action, subscription, dead_letter, note) VALUES ($1, $2, $3, $4, $5)`;

/** Records who did what, in the transaction that does it. */
export async function recordAction(
  tx: EntityManager,
  by: string,
  action: OperatorAction['action'],
  subscription: string,
  { deadLetter = null, note = null }: { deadLetter?: string | null; note?: string | null } = {},
): Promise<void> {
  await tx.query(RECORD, [by, action, subscription, deadLetter, note]);
}

const LIST = `
SELECT acted_at, acted_by, action, subscription, dead_letter, note
FROM messaging.operator_action ORDER BY acted_at DESC, id DESC LIMIT $1`;

interface ActionRow {
  readonly acted_at: Date;
  readonly acted_by: string;
  readonly action: OperatorAction['action'];
  readonly subscription: string;
  readonly dead_letter: string | null;
  readonly note: string | null;
}

/** The newest first. */
export async function listActions(database: DataSource, limit: number): Promise<OperatorAction[]> {
  const rows = (await database.query(LIST, [limit])) as ActionRow[];
  return rows.map(({ acted_at, acted_by, action, subscription, dead_letter, note }) => ({
    at: acted_at.toISOString(),
    by: acted_by,
    action,
    subscription,
    deadLetterId: dead_letter,
    note,
  }));
}
