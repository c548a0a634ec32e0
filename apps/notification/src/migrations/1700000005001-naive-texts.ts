import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Text messages about orders of campaigns of mode `sync`. */
export class NaiveTexts1700000005001 implements MigrationInterface {
  readonly name = 'NaiveTexts1700000005001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE TABLE naive_text (
  order_id    uuid NOT NULL,
  campaign_id uuid NOT NULL,
  buyer_id    text NOT NULL,
  quantity    integer NOT NULL,
  sent_at     timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT naive_text_pk PRIMARY KEY (order_id)
);
CREATE INDEX naive_text_campaign ON naive_text (campaign_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE naive_text');
  }
}
