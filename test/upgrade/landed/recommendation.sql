-- CreateProfiles1700000007000

CREATE TABLE buyer_item (
  buyer_id text NOT NULL,
  sku      text NOT NULL,
  bought   integer NOT NULL DEFAULT 0,
  viewed   integer NOT NULL DEFAULT 0,
  last_at  timestamptz NOT NULL,
  CONSTRAINT buyer_item_pk PRIMARY KEY (buyer_id, sku)
);

-- Both directions are kept, so that a look-up is one walk down the index. No index on times: it would make
-- every count a new row version in it.
CREATE TABLE bought_together (
  sku   text NOT NULL,
  other text NOT NULL,
  times integer NOT NULL,
  CONSTRAINT bought_together_pk PRIMARY KEY (sku, other)
) WITH (fillfactor = 70);

CREATE TABLE profiled_order (
  order_id uuid NOT NULL,
  CONSTRAINT profiled_order_pk PRIMARY KEY (order_id)
);

INSERT INTO migration (timestamp, name) VALUES (1700000007000, 'CreateProfiles1700000007000');
