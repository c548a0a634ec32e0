import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What campaigns of mode `sync` have sold. */
export class NaiveReservations1700000002002 implements MigrationInterface {
  readonly name = 'NaiveReservations1700000002002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE TABLE naive_reservation (
  id          uuid NOT NULL,
  order_id    uuid NOT NULL,
  campaign_id uuid NOT NULL,
  buyer_id    text NOT NULL,
  quantity    integer NOT NULL,
  reserved_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT naive_reservation_pk PRIMARY KEY (id)
);
CREATE INDEX naive_reservation_buyer ON naive_reservation (buyer_id, reserved_at);
CREATE INDEX naive_reservation_campaign ON naive_reservation (campaign_id, buyer_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE naive_reservation');
  }
}
