import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Publications are worked off in steps, at a bounded rate, and can be paused and canceled. */
export class PublicationSteps1700000003031 implements MigrationInterface {
  readonly name = 'PublicationSteps1700000003031';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
ALTER TABLE publication ADD COLUMN paused_at timestamptz, ADD COLUMN cancelled_at timestamptz;

-- Every part of an earlier build was handed over when it arrived.
ALTER TABLE publication_chunk
  ADD COLUMN released_at timestamptz DEFAULT now(),
  ADD COLUMN dropped_at timestamptz,
  ADD COLUMN steps smallint NOT NULL DEFAULT 0,
  ADD COLUMN rejected integer NOT NULL DEFAULT 0,
  ADD COLUMN same integer[] NOT NULL DEFAULT '{}',
  ADD CONSTRAINT publication_chunk_steps_known CHECK (steps BETWEEN 0 AND 4);
ALTER TABLE publication_chunk ALTER COLUMN released_at DROP DEFAULT;
UPDATE publication_chunk SET steps = 4 WHERE done_at IS NOT NULL;
-- Which part a rejected row belonged to was not kept; only the sum is ever shown.
UPDATE publication_chunk c SET rejected = r.count
FROM (SELECT publication_id, min(chunk) AS chunk FROM publication_chunk WHERE done_at IS NOT NULL GROUP BY 1) AS f
JOIN (SELECT publication_id, count(*)::int AS count FROM publication_rejection GROUP BY 1) AS r USING (publication_id)
WHERE c.publication_id = f.publication_id AND c.chunk = f.chunk;
CREATE INDEX publication_chunk_waiting ON publication_chunk (chunk)
  WHERE released_at IS NULL AND dropped_at IS NULL;
CREATE INDEX publication_chunk_in_hand ON publication_chunk (released_at)
  WHERE done_at IS NULL AND dropped_at IS NULL;

ALTER TABLE publication_rejection ADD COLUMN code text;

-- Rows come from a join with product, from which nothing is ever deleted: a foreign key would only cost.
-- No pictures: none are known, or the list says that there are none.
CREATE TABLE product_picture (
  sku  text NOT NULL,
  urls text[],
  CONSTRAINT product_picture_pk PRIMARY KEY (sku)
);

CREATE TABLE product_page (
  sku         text NOT NULL,
  title       text NOT NULL,
  slug        text NOT NULL,
  description text,
  search      text NOT NULL GENERATED ALWAYS AS (lower(title || ' ' || coalesce(description, ''))) STORED,
  CONSTRAINT product_page_pk PRIMARY KEY (sku)
);

CREATE TABLE product_promotion (
  sku         text NOT NULL,
  price_minor bigint NOT NULL CONSTRAINT product_promotion_price_positive CHECK (price_minor > 0),
  currency    text NOT NULL,
  CONSTRAINT product_promotion_pk PRIMARY KEY (sku)
);

INSERT INTO product_picture (sku) SELECT sku FROM product;
-- As slugOf writes it.
INSERT INTO product_page (sku, title, slug)
SELECT sku, title, trim(BOTH '-' FROM regexp_replace(
  left(regexp_replace(lower(regexp_replace(normalize(title, NFKD), '[\\u0300-\\u036f]+', '', 'g')), '[^a-z0-9]+', '-', 'g'), 80)
  || '-' || lower(split_part(sku, '.', 2)), '-{2,}', '-', 'g'))
FROM product;`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('PublicationSteps1700000003031 cannot be undone; restore a backup'));
  }
}
