-- CreateSales1700000008000

CREATE TABLE order_count (
  -- What was counted: an order, or one refund of it.
  cause_id uuid NOT NULL,
  stage    text NOT NULL,
  CONSTRAINT order_count_pk PRIMARY KEY (cause_id, stage),
  CONSTRAINT order_count_stage_known CHECK (stage IN ('placed', 'paid', 'cancelled', 'refunded'))
);

CREATE TABLE sales_minute (
  minute      timestamptz NOT NULL,
  currency    text NOT NULL,
  paid        integer NOT NULL,
  sales_minor bigint NOT NULL,
  items       bigint NOT NULL,
  CONSTRAINT sales_minute_pk PRIMARY KEY (minute, currency)
);

INSERT INTO migration (timestamp, name) VALUES (1700000008000, 'CreateSales1700000008000');
