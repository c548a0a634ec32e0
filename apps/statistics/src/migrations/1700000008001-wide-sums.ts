import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A minute's sales may exceed what a bigint holds. */
export class WideSums1700000008001 implements MigrationInterface {
  readonly name = 'WideSums1700000008001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE sales_minute ALTER COLUMN sales_minor TYPE numeric');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE sales_minute ALTER COLUMN sales_minor TYPE bigint');
  }
}
