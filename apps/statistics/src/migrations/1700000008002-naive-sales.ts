import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sales of campaigns of mode `sync`. */
export class NaiveSales1700000008002 implements MigrationInterface {
  readonly name = 'NaiveSales1700000008002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE TABLE naive_sale (
  order_id    uuid NOT NULL,
  campaign_id uuid NOT NULL,
  quantity    integer NOT NULL,
  sales_minor bigint NOT NULL,
  counted_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT naive_sale_pk PRIMARY KEY (order_id)
);
CREATE INDEX naive_sale_campaign ON naive_sale (campaign_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE naive_sale');
  }
}
