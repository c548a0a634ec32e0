import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddFailStatus1700000009002 implements MigrationInterface {
  readonly name = 'AddFailStatus1700000009002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE fault ADD COLUMN fail_status integer NOT NULL DEFAULT 503');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE fault DROP COLUMN fail_status');
  }
}
