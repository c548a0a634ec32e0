import type { EntityManager } from 'typeorm';

/** What operators did, for good: a letter may be decided on more than once, a subscription paused again. */
export const CREATE_OPERATOR_ACTION = `
CREATE TABLE messaging.operator_action (
  id           bigint GENERATED ALWAYS AS IDENTITY,
  acted_at     timestamptz NOT NULL DEFAULT now(),
  acted_by     text NOT NULL,
  action       text NOT NULL,
  subscription text NOT NULL,
  dead_letter  uuid,
  note         text,
  CONSTRAINT operator_action_pk PRIMARY KEY (id),
  CONSTRAINT operator_action_known CHECK (action IN ('pause', 'resume', 'replay', 'discard'))
);
CREATE INDEX operator_action_newest ON messaging.operator_action (acted_at DESC, id DESC);`;

const RECORD = `
INSERT INTO messaging.operator_action (acted_by, action, subscription, dead_letter, note) VALUES ($1, $2, $3, $4, $5)`;

/** The newest first. */
export const LIST_ACTIONS = `
SELECT acted_at, acted_by, action, subscription, dead_letter, note
FROM messaging.operator_action ORDER BY acted_at DESC, id DESC LIMIT $1`;

export interface OperatorActionRow {
  readonly acted_at: Date;
  readonly acted_by: string;
  readonly action: 'pause' | 'resume' | 'replay' | 'discard';
  readonly subscription: string;
  readonly dead_letter: string | null;
  readonly note: string | null;
}

/** Notes who did what, in the transaction that does it. */
export async function recordAction(
  tx: EntityManager,
  by: string,
  action: OperatorActionRow['action'],
  subscription: string,
  { deadLetter = null, note = null }: { deadLetter?: string | null; note?: string | null } = {},
): Promise<void> {
  await tx.query(RECORD, [by, action, subscription, deadLetter, note]);
}
