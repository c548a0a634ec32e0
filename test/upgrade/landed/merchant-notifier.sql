-- CreateDeliveries1700000006000

CREATE TABLE delivery (
  webhook_id   text NOT NULL,
  order_id     uuid NOT NULL,
  type         text NOT NULL,
  endpoint     text NOT NULL,
  delivered_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT delivery_pk PRIMARY KEY (webhook_id),
  CONSTRAINT delivery_once UNIQUE (order_id, type)
);

INSERT INTO migration (timestamp, name) VALUES (1700000006000, 'CreateDeliveries1700000006000');
