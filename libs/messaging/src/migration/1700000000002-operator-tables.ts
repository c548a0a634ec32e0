import type { MigrationInterface, QueryRunner } from 'typeorm';

const OPERATOR_ACTION = `
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
CREATE INDEX operator_action_newest ON messaging.operator_action (acted_at DESC, id DESC)`;

const WAITING = `
CREATE TABLE messaging.waiting (
  subscription text NOT NULL,
  since        timestamptz NOT NULL DEFAULT now(),
  -- Who waits says so again and again; one that was killed meanwhile does not.
  noted_at     timestamptz NOT NULL DEFAULT now(),
  reason       text NOT NULL,
  CONSTRAINT waiting_pk PRIMARY KEY (subscription)
)`;

const ALERT = `
CREATE TABLE messaging.alert (
  id         uuid NOT NULL,
  subject    text NOT NULL,
  kind       text NOT NULL,
  value      float8 NOT NULL,
  threshold  float8 NOT NULL,
  message    text NOT NULL,
  raised_at  timestamptz NOT NULL DEFAULT now(),
  cleared_at timestamptz,
  CONSTRAINT alert_pk PRIMARY KEY (id),
  CONSTRAINT alert_kind_known CHECK (kind IN ('lag', 'age', 'parked', 'dead', 'waiting', 'outbox'))
);
CREATE UNIQUE INDEX alert_open ON messaging.alert (subject, kind) WHERE cleared_at IS NULL;
CREATE INDEX alert_newest ON messaging.alert (raised_at DESC, id DESC);

CREATE TABLE messaging.alert_notice (
  id       bigint GENERATED ALWAYS AS IDENTITY,
  alert_id uuid NOT NULL,
  what     text NOT NULL,
  CONSTRAINT alert_notice_pk PRIMARY KEY (id),
  CONSTRAINT alert_notice_what_known CHECK (what IN ('raised', 'cleared')),
  CONSTRAINT alert_notice_alert_fk FOREIGN KEY (alert_id) REFERENCES messaging.alert (id) ON DELETE CASCADE
)`;

/** Callers see times in milliseconds, so that is what pages of dead letters are cut by. */
const PAGE_BY_TIME = `
DROP INDEX messaging.dead_letter_newest;
ALTER TABLE messaging.dead_letter ALTER COLUMN dead_at TYPE timestamptz(3);
CREATE INDEX dead_letter_newest ON messaging.dead_letter (dead_at DESC, id DESC);
CREATE INDEX dead_letter_undecided ON messaging.dead_letter (subscription) WHERE status = 'dead'`;

const UNPAGE = `
DROP INDEX messaging.dead_letter_newest, messaging.dead_letter_undecided;
ALTER TABLE messaging.dead_letter ALTER COLUMN dead_at TYPE timestamptz;
CREATE INDEX dead_letter_newest ON messaging.dead_letter (dead_at DESC, id)`;

/** What operators see and do: alerts, what waits and why, and who did what. */
export class OperatorTables1700000000002 implements MigrationInterface {
  readonly name = 'OperatorTables1700000000002';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [OPERATOR_ACTION, WAITING, ALERT, PAGE_BY_TIME]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(UNPAGE);
    await runner.query(
      'DROP TABLE messaging.alert_notice, messaging.alert, messaging.waiting, messaging.operator_action',
    );
  }
}
