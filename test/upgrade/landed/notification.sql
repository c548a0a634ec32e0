-- CreateNotices1700000005000

CREATE TABLE notice (
  id       uuid NOT NULL,
  -- What it is about: the order, or one refund of it.
  cause_id uuid NOT NULL,
  order_id uuid NOT NULL,
  kind     text NOT NULL,
  channel  text NOT NULL,
  buyer_id text NOT NULL,
  text     text NOT NULL,
  sent_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT notice_pk PRIMARY KEY (id),
  CONSTRAINT notice_once UNIQUE (cause_id, kind)
);
CREATE INDEX notice_buyer ON notice (buyer_id, sent_at DESC);

INSERT INTO migration (timestamp, name) VALUES (1700000005000, 'CreateNotices1700000005000');
