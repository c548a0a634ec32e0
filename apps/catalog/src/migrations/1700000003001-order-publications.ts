import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Publications have an order, and each product knows which of them, and which line of it, it stands as. */
export class OrderPublications1700000003001 implements MigrationInterface {
  readonly name = 'OrderPublications1700000003001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
ALTER TABLE publication ADD COLUMN number bigint, ADD COLUMN heard_at timestamptz NOT NULL DEFAULT now();
UPDATE publication p SET number = n.number
FROM (SELECT id, row_number() OVER (ORDER BY opened_at, id) AS number FROM publication) AS n WHERE n.id = p.id;
ALTER TABLE publication ALTER COLUMN number SET NOT NULL, ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY,
  ADD CONSTRAINT publication_number_once UNIQUE (number);
SELECT setval(pg_get_serial_sequence('publication', 'number'),
              (SELECT coalesce(max(number), 0) + 1 FROM publication), false);

-- Zero: published before this was kept.
ALTER TABLE product ADD COLUMN publication bigint NOT NULL DEFAULT 0, ADD COLUMN line integer NOT NULL DEFAULT 0;

-- What the stock was opened with, by which publication, and when; for two that bring a new product at once.
ALTER TABLE stock ADD COLUMN opening bigint NOT NULL DEFAULT 0, ADD COLUMN opened_by bigint NOT NULL DEFAULT 0,
  ADD COLUMN opened_at timestamptz NOT NULL DEFAULT '-infinity';
ALTER TABLE stock ALTER COLUMN opened_at SET DEFAULT now();

CREATE TABLE stock_change (
  id     uuid NOT NULL,
  sku    text NOT NULL,
  by     bigint NOT NULL,
  reason text NOT NULL,
  at     timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT stock_change_pk PRIMARY KEY (id),
  CONSTRAINT stock_change_product_fk FOREIGN KEY (sku) REFERENCES product (sku)
)`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('OrderPublications1700000003001 cannot be undone; restore a backup'));
  }
}
