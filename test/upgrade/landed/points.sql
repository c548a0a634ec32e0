-- CreateLedger1700000004000

CREATE TABLE points_entry (
  kind     text NOT NULL,
  -- What it is for: the order of an award, the refund of a reversal.
  cause_id uuid NOT NULL,
  order_id uuid NOT NULL,
  buyer_id text NOT NULL,
  points   bigint NOT NULL,
  at       timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT points_entry_pk PRIMARY KEY (kind, cause_id),
  CONSTRAINT points_entry_kind_known CHECK (kind IN ('award', 'reversal')),
  CONSTRAINT points_entry_sign CHECK ((kind = 'award') = (points >= 0) OR points = 0)
);
CREATE INDEX points_entry_buyer ON points_entry (buyer_id, at DESC);

INSERT INTO migration (timestamp, name) VALUES (1700000004000, 'CreateLedger1700000004000');
