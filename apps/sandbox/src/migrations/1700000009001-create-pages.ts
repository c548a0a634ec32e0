import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreatePages1700000009001 implements MigrationInterface {
  readonly name = 'CreatePages1700000009001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE page (
        id          text NOT NULL,
        body        jsonb NOT NULL,
        times       integer NOT NULL DEFAULT 1,
        received_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT page_pk PRIMARY KEY (id)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE page');
  }
}
