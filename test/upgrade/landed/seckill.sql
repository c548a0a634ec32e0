-- CreateCampaigns1700000002000

CREATE TABLE campaign (
  id             uuid NOT NULL,
  sku            text NOT NULL,
  mode           text NOT NULL,
  stock          integer NOT NULL,
  available      integer NOT NULL,
  reserved       integer NOT NULL DEFAULT 0,
  sold           integer NOT NULL DEFAULT 0,
  version        integer NOT NULL DEFAULT 0,
  per_user_limit integer NOT NULL,
  price_minor    bigint NOT NULL,
  currency       text NOT NULL,
  starts_at      timestamptz NOT NULL,
  ends_at        timestamptz NOT NULL,
  payment_window integer NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT campaign_pk PRIMARY KEY (id),
  CONSTRAINT campaign_never_oversold CHECK (available >= 0 AND reserved >= 0 AND sold >= 0),
  CONSTRAINT campaign_adds_up CHECK (available + reserved + sold = stock),
  CONSTRAINT campaign_ends_after_start CHECK (ends_at > starts_at)
) WITH (fillfactor = 50);

CREATE TABLE reservation (
  id          uuid NOT NULL,
  order_id    uuid NOT NULL,
  campaign_id uuid NOT NULL,
  buyer_id    text NOT NULL,
  quantity    integer NOT NULL CONSTRAINT reservation_quantity_positive CHECK (quantity > 0),
  status      text NOT NULL DEFAULT 'reserved',
  reserved_at timestamptz NOT NULL,
  CONSTRAINT reservation_pk PRIMARY KEY (id),
  CONSTRAINT reservation_one_order UNIQUE (order_id),
  CONSTRAINT reservation_status_known CHECK (status IN ('reserved', 'sold', 'released'))
);
CREATE INDEX reservation_buyer ON reservation (buyer_id, reserved_at);

CREATE TABLE buyer_tally (
  campaign_id uuid NOT NULL,
  buyer_id    text NOT NULL,
  quantity    integer NOT NULL CONSTRAINT buyer_tally_not_negative CHECK (quantity >= 0),
  CONSTRAINT buyer_tally_pk PRIMARY KEY (campaign_id, buyer_id)
);

CREATE TABLE blocked_buyer (
  buyer_id   text NOT NULL,
  reason     text NOT NULL,
  blocked_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT blocked_buyer_pk PRIMARY KEY (buyer_id)
);

CREATE FUNCTION open_batch(
  p_campaign uuid, p_buyers text[], p_again uuid[], p_window interval,
  OUT campaign json, OUT tallies json, OUT recent json, OUT blocked text[], OUT again uuid[]
) LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  since timestamptz;
BEGIN
  PERFORM 1 FROM campaign WHERE id = p_campaign FOR UPDATE;
  since := clock_timestamp() - p_window;

  SELECT json_build_object(
    'sku', c.sku, 'available', c.available, 'version', c.version, 'perUserLimit', c.per_user_limit,
    'priceMinor', c.price_minor, 'currency', c.currency, 'paymentWindow', c.payment_window,
    'endsAt', to_char(c.ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'now', clock_timestamp(),
    'phase', CASE WHEN clock_timestamp() < c.starts_at THEN 'not_started'
                  WHEN clock_timestamp() >= c.ends_at THEN 'ended' ELSE 'running' END)
  INTO campaign FROM campaign c WHERE c.id = p_campaign;

  SELECT json_object_agg(buyer_id, quantity) INTO tallies
  FROM buyer_tally WHERE campaign_id = p_campaign AND buyer_id = ANY(p_buyers);

  SELECT json_object_agg(buyer_id, reservations) INTO recent FROM (
    SELECT buyer_id, count(*) AS reservations
    FROM reservation WHERE buyer_id = ANY(p_buyers) AND reserved_at > since GROUP BY buyer_id
  ) AS lately;

  SELECT array_agg(buyer_id) INTO blocked FROM blocked_buyer WHERE buyer_id = ANY(p_buyers);

  IF cardinality(p_again) > 0 THEN
    SELECT array_agg(id) INTO again FROM reservation WHERE id = ANY(p_again);
  END IF;
  again := coalesce(again, '{}');
END
$$;

INSERT INTO migration (timestamp, name) VALUES (1700000002000, 'CreateCampaigns1700000002000');
