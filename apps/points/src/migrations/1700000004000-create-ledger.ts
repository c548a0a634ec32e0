import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateLedger1700000004000 implements MigrationInterface {
  readonly name = 'CreateLedger1700000004000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE TABLE points_entry (
  order_id uuid NOT NULL,
  kind     text NOT NULL,
  buyer_id text NOT NULL,
  points   bigint NOT NULL,
  at       timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT points_entry_pk PRIMARY KEY (order_id, kind),
  CONSTRAINT points_entry_kind_known CHECK (kind IN ('award', 'reversal')),
  CONSTRAINT points_entry_sign CHECK ((kind = 'award') = (points >= 0) OR points = 0)
);
CREATE INDEX points_entry_buyer ON points_entry (buyer_id, at DESC);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE points_entry');
  }
}
