import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddCompletedAt1700000001001 implements MigrationInterface {
  readonly name = 'AddCompletedAt1700000001001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE orders ADD COLUMN completed_at timestamptz');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE orders DROP COLUMN completed_at');
  }
}
