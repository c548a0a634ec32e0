/** The rows that handling an event writes, the same in every baseline. */
export const CREATE_EFFECTS = `
DROP TABLE IF EXISTS receipt, effect;
CREATE TABLE receipt (
  subscription text NOT NULL, message_id text NOT NULL, received_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT receipt_pkey PRIMARY KEY (subscription, message_id));
CREATE TABLE effect (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT effect_pkey PRIMARY KEY,
  order_id uuid NOT NULL, buyer_id text NOT NULL, total_minor bigint NOT NULL)`;

export const INSERT_RECEIPT = `
INSERT INTO receipt (subscription, message_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING message_id`;

export const INSERT_EFFECT = 'INSERT INTO effect (order_id, buyer_id, total_minor) VALUES ($1, $2, $3)';

/** Receipt and effect in one statement, which is a transaction of its own: one round trip instead of four. */
export const INSERT_RECEIPT_AND_EFFECT = `
WITH fresh AS (
  INSERT INTO receipt (subscription, message_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING message_id
)
INSERT INTO effect (order_id, buyer_id, total_minor) SELECT $3::uuid, $4, $5::bigint FROM fresh`;

export const INSERT_EFFECTS = `
INSERT INTO effect (order_id, buyer_id, total_minor) SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[])`;
