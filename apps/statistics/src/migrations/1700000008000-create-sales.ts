import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateSales1700000008000 implements MigrationInterface {
  readonly name = 'CreateSales1700000008000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE TABLE order_count (
  -- What was counted: an order, or one refund of it.
  cause_id uuid NOT NULL,
  stage    text NOT NULL,
  CONSTRAINT order_count_pk PRIMARY KEY (cause_id, stage),
  CONSTRAINT order_count_stage_known CHECK (stage IN ('placed', 'paid', 'cancelled', 'refunded'))
);

CREATE TABLE sales_minute (
  minute      timestamptz NOT NULL,
  currency    text NOT NULL,
  paid        integer NOT NULL,
  sales_minor bigint NOT NULL,
  items       bigint NOT NULL,
  CONSTRAINT sales_minute_pk PRIMARY KEY (minute, currency)
);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE sales_minute, order_count');
  }
}
