import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateDeliveries1700000006000 implements MigrationInterface {
  readonly name = 'CreateDeliveries1700000006000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE TABLE delivery (
  webhook_id   text NOT NULL,
  order_id     uuid NOT NULL,
  type         text NOT NULL,
  endpoint     text NOT NULL,
  delivered_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT delivery_pk PRIMARY KEY (webhook_id),
  CONSTRAINT delivery_once UNIQUE (order_id, type)
);`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE delivery');
  }
}
