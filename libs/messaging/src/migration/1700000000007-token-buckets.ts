import type { MigrationInterface, QueryRunner } from 'typeorm';

const VERSION = 'CREATE SEQUENCE messaging.token_bucket_version';

const BUCKET = `
CREATE TABLE messaging.token_bucket (
  name            text NOT NULL,
  version         bigint NOT NULL,
  rate_per_second double precision NOT NULL CONSTRAINT token_bucket_rate_positive CHECK (rate_per_second > 0),
  capacity        integer NOT NULL CONSTRAINT token_bucket_capacity_positive CHECK (capacity > 0),
  adaptive        jsonb,
  ends_at         timestamptz,
  state           jsonb NOT NULL,
  CONSTRAINT token_bucket_pk PRIMARY KEY (name)
) WITH (fillfactor = 50)`;

/** Token buckets that gateways share. */
export class TokenBuckets1700000000007 implements MigrationInterface {
  readonly name = 'TokenBuckets1700000000007';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [VERSION, BUCKET]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE messaging.token_bucket');
    await runner.query('DROP SEQUENCE messaging.token_bucket_version');
  }
}
