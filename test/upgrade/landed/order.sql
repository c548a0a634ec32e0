-- CreateOrders1700000001000

CREATE TABLE orders (
  id             uuid NOT NULL,
  buyer_id       text NOT NULL,
  origin         text NOT NULL,
  campaign_id    uuid,
  reservation_id uuid,
  status         text NOT NULL,
  items          jsonb NOT NULL,
  total_minor    bigint,
  refunded_minor bigint NOT NULL DEFAULT 0,
  currency       text,
  reason         text,
  placed_at      timestamptz NOT NULL,
  pay_by         timestamptz,
  priced_at      timestamptz,
  paid_at        timestamptz,
  cancelled_at   timestamptz,
  refunded_at    timestamptz,
  CONSTRAINT orders_pk PRIMARY KEY (id),
  CONSTRAINT orders_reservation_once UNIQUE (reservation_id),
  CONSTRAINT orders_status_known CHECK (status IN
    ('pending_stock', 'awaiting_payment', 'paid', 'shipped', 'completed', 'cancelled', 'refunded')),
  CONSTRAINT orders_origin_known CHECK (
    (origin = 'ordinary' AND campaign_id IS NULL AND reservation_id IS NULL) OR
    (origin = 'seckill' AND campaign_id IS NOT NULL AND reservation_id IS NOT NULL)),
  CONSTRAINT orders_refunded_within_total CHECK (refunded_minor BETWEEN 0 AND coalesce(total_minor, 0)),
  CONSTRAINT orders_priced_when_payable CHECK
    (status IN ('pending_stock', 'cancelled') OR (total_minor IS NOT NULL AND currency IS NOT NULL))
);
CREATE INDEX orders_buyer ON orders (buyer_id, id DESC);

CREATE TABLE payment (
  id           uuid NOT NULL,
  order_id     uuid NOT NULL,
  amount_minor bigint NOT NULL,
  currency     text NOT NULL,
  status       text NOT NULL,
  checkout_url text,
  created_at   timestamptz NOT NULL DEFAULT now(),
  settled_at   timestamptz,
  CONSTRAINT payment_pk PRIMARY KEY (id),
  CONSTRAINT payment_order_fk FOREIGN KEY (order_id) REFERENCES orders (id),
  CONSTRAINT payment_status_known CHECK (status IN ('pending', 'paid', 'declined', 'surplus'))
);
CREATE INDEX payment_order ON payment (order_id);
-- One attempt at a time: asking again while one is open gives the same checkout.
CREATE UNIQUE INDEX payment_one_open ON payment (order_id) WHERE status = 'pending';
-- An order is paid by one payment; any other that comes in goes back.
CREATE UNIQUE INDEX payment_one_paid ON payment (order_id) WHERE status = 'paid';

CREATE TABLE refund (
  id            uuid NOT NULL,
  order_id      uuid NOT NULL,
  payment_id    uuid NOT NULL,
  items         jsonb NOT NULL,
  amount_minor  bigint NOT NULL CONSTRAINT refund_amount_not_negative CHECK (amount_minor >= 0),
  currency      text NOT NULL,
  requested_at  timestamptz NOT NULL,
  given_back_at timestamptz,
  CONSTRAINT refund_pk PRIMARY KEY (id),
  CONSTRAINT refund_order_fk FOREIGN KEY (order_id) REFERENCES orders (id),
  CONSTRAINT refund_payment_fk FOREIGN KEY (payment_id) REFERENCES payment (id)
);
CREATE INDEX refund_order ON refund (order_id);
CREATE INDEX refund_due ON refund (requested_at) WHERE given_back_at IS NULL;

INSERT INTO migration (timestamp, name) VALUES (1700000001000, 'CreateOrders1700000001000');
