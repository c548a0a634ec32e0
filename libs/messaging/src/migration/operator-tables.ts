import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CREATE_WAITING } from '../consumer/waiting.js';
import { CREATE_ALERT } from '../control/alert-sql.js';
import { CREATE_OPERATOR_ACTION } from '../control/operator-actions.js';

/** Callers see times in milliseconds, so that is what pages of dead letters are cut by. */
const PAGE_BY_TIME = `
DROP INDEX messaging.dead_letter_newest;
ALTER TABLE messaging.dead_letter ALTER COLUMN dead_at TYPE timestamptz(3);
CREATE INDEX dead_letter_newest ON messaging.dead_letter (dead_at DESC, id DESC);
CREATE INDEX dead_letter_undecided ON messaging.dead_letter (subscription) WHERE status = 'dead';`;

const UNPAGE = `
DROP INDEX messaging.dead_letter_newest, messaging.dead_letter_undecided;
ALTER TABLE messaging.dead_letter ALTER COLUMN dead_at TYPE timestamptz;
CREATE INDEX dead_letter_newest ON messaging.dead_letter (dead_at DESC, id);`;

/** What operators see and do: alerts, what waits and why, and who did what. */
export class OperatorTables1700000000002 implements MigrationInterface {
  readonly name = 'OperatorTables1700000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(CREATE_OPERATOR_ACTION);
    await runner.query(CREATE_WAITING);
    await runner.query(CREATE_ALERT);
    await runner.query(PAGE_BY_TIME);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(UNPAGE);
    await runner.query(
      'DROP TABLE messaging.alert_notice, messaging.alert, messaging.waiting, messaging.operator_action',
    );
  }
}
