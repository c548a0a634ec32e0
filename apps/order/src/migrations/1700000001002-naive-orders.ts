import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Orders of campaigns of mode `sync`. */
export class NaiveOrders1700000001002 implements MigrationInterface {
  readonly name = 'NaiveOrders1700000001002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE TABLE naive_order (
  order_id    uuid NOT NULL,
  campaign_id uuid NOT NULL,
  reservation_id uuid NOT NULL,
  buyer_id    text NOT NULL,
  sku         text NOT NULL,
  quantity    integer NOT NULL,
  unit_price_minor bigint NOT NULL,
  currency    text NOT NULL,
  placed_at   timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT naive_order_pk PRIMARY KEY (order_id)
);
CREATE INDEX naive_order_campaign ON naive_order (campaign_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE naive_order');
  }
}
