import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Calls that came with a key, their claims and answers. */
export class CreateKeyedCalls1700000000100 implements MigrationInterface {
  readonly name = 'CreateKeyedCalls1700000000100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE TABLE keyed_call (
  key           text NOT NULL,
  fingerprint   text NOT NULL,
  seed          uuid NOT NULL,
  claim         uuid NOT NULL,
  claimed_until timestamptz NOT NULL,
  answer        json,
  begun_at      timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT keyed_call_pk PRIMARY KEY (key)
) WITH (fillfactor = 70);
CREATE INDEX keyed_call_begun_at ON keyed_call (begun_at)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE keyed_call');
  }
}
