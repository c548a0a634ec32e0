import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CREATE_WAITING } from '../consumer/waiting.js';
import { CREATE_ALERT } from '../control/alert-sql.js';
import { CREATE_OPERATOR_ACTION } from '../control/operator-actions.js';

/** What operators see and do: alerts, what waits and why, and who did what. */
export class OperatorTables1700000000002 implements MigrationInterface {
  readonly name = 'OperatorTables1700000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(CREATE_OPERATOR_ACTION);
    await runner.query(CREATE_WAITING);
    await runner.query(CREATE_ALERT);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE messaging.alert_notice, messaging.alert, messaging.waiting, messaging.operator_action',
    );
  }
}
