import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Attempts that were begun and have no result: a message that ends its process leaves one behind. */
export class CrashGuard1700000000003 implements MigrationInterface {
  readonly name = 'CrashGuard1700000000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE TABLE messaging.attempt (
  subscription text NOT NULL,
  topic        text NOT NULL,
  partition    integer NOT NULL,
  position     bigint NOT NULL,
  -- Whether the message at the position is tried alone, and not as the first of a batch.
  alone        boolean NOT NULL,
  -- Whether the attempt has no result yet.
  open         boolean NOT NULL,
  -- How often the process ended before there was one.
  deaths       integer NOT NULL,
  CONSTRAINT attempt_pk PRIMARY KEY (subscription, topic, partition)
)`);
    await runner.query('ALTER TABLE messaging.parked ADD COLUMN trying boolean NOT NULL DEFAULT false');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE messaging.parked DROP COLUMN trying');
    await runner.query('DROP TABLE messaging.attempt');
  }
}
