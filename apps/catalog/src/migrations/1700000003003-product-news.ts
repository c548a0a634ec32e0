import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ProductNews1700000003003 implements MigrationInterface {
  readonly name = 'ProductNews1700000003003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
-- Products whose price, title or stock has changed since others were last told: one row each, however many changes.
CREATE TABLE product_news (
  sku text NOT NULL,
  CONSTRAINT product_news_pk PRIMARY KEY (sku)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE product_news');
  }
}
