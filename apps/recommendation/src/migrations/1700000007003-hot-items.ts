import type { MigrationInterface, QueryRunner } from 'typeorm';

export class HotItems1700000007003 implements MigrationInterface {
  readonly name = 'HotItems1700000007003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
-- The sketch of each part of the window: a row holds a bounded number of counters, so this stays a few rows.
CREATE TABLE interest (
  starts_at timestamptz NOT NULL,
  counters  json NOT NULL DEFAULT '[]',
  CONSTRAINT interest_pk PRIMARY KEY (starts_at)
);

CREATE TABLE hot_item (
  sku   text NOT NULL,
  since timestamptz NOT NULL,
  CONSTRAINT hot_item_pk PRIMARY KEY (sku)
);

-- One row once anything was decided.
CREATE TABLE hot_list (
  one        boolean NOT NULL DEFAULT true CONSTRAINT hot_list_one CHECK (one),
  version    bigint NOT NULL,
  told_at    timestamptz NOT NULL,
  CONSTRAINT hot_list_pk PRIMARY KEY (one)
)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE hot_list, hot_item, interest');
  }
}
