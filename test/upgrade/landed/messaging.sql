CREATE TABLE migration (id serial NOT NULL, timestamp bigint NOT NULL, name character varying NOT NULL, CONSTRAINT "PK_3043fc6b8af7c99b8b98830094f" PRIMARY KEY (id));

-- MessagingTables1700000000001

CREATE SCHEMA messaging;

CREATE TABLE messaging.outbox (
  id          bigint GENERATED ALWAYS AS IDENTITY,
  topic       text NOT NULL,
  key         text NOT NULL,
  type        text NOT NULL,
  event_id    uuid NOT NULL,
  traceparent text NOT NULL,
  payload     text NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT outbox_pk PRIMARY KEY (id)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);

CREATE TABLE messaging.inbox (
  subscription text NOT NULL,
  message_id   text NOT NULL,
  received_at  timestamptz NOT NULL DEFAULT now(),
  -- What was handled in which order, and in which it was committed: a key is a hash of source, topic and key.
  ordinal      bigint GENERATED ALWAYS AS IDENTITY,
  key_hash     bigint NOT NULL,
  sequence     bigint,
  CONSTRAINT inbox_pk PRIMARY KEY (subscription, message_id)
);
CREATE INDEX inbox_received_at ON messaging.inbox USING brin (received_at);

CREATE TABLE messaging.consumer_progress (
  subscription text NOT NULL,
  topic        text NOT NULL,
  partition    integer NOT NULL,
  epoch        bigint NOT NULL,
  started_at   bigint NOT NULL,
  position     bigint NOT NULL,
  handled      bigint NOT NULL DEFAULT 0,
  skipped      bigint NOT NULL DEFAULT 0,
  duplicate    bigint NOT NULL DEFAULT 0,
  parked       bigint NOT NULL DEFAULT 0,
  dead         bigint NOT NULL DEFAULT 0,
  CONSTRAINT consumer_progress_pk PRIMARY KEY (subscription, topic, partition),
  CONSTRAINT consumer_progress_adds_up CHECK
    (position - started_at = handled + skipped + duplicate + parked + dead)
) WITH (fillfactor = 50);

CREATE TABLE messaging.dead_letter (
  id           uuid NOT NULL,
  subscription text NOT NULL,
  topic        text NOT NULL,
  partition    integer NOT NULL,
  position     bigint NOT NULL,
  key          text NOT NULL,
  headers      text NOT NULL,
  payload      bytea NOT NULL,
  appended_at  timestamptz NOT NULL,
  reason       text NOT NULL,
  errors       jsonb NOT NULL,
  -- Its key waits for what an operator decides.
  holds_key    boolean NOT NULL DEFAULT false,
  dead_at      timestamptz NOT NULL DEFAULT now(),
  status       text NOT NULL DEFAULT 'dead',
  decided_at   timestamptz,
  decided_by   text,
  note         text,
  CONSTRAINT dead_letter_pk PRIMARY KEY (id),
  CONSTRAINT dead_letter_once UNIQUE (subscription, topic, partition, position),
  CONSTRAINT dead_letter_reason_known CHECK (reason IN ('invalid', 'failed')),
  CONSTRAINT dead_letter_status_known CHECK (status IN ('dead', 'replayed', 'discarded'))
);
CREATE INDEX dead_letter_newest ON messaging.dead_letter (dead_at DESC, id);

CREATE TABLE messaging.lease (
  name       text NOT NULL,
  holder     text NOT NULL,
  expires_at timestamptz NOT NULL,
  CONSTRAINT lease_pk PRIMARY KEY (name)
);

CREATE TABLE messaging.queue (
  identity   text NOT NULL,
  claimed_at timestamptz NOT NULL DEFAULT now(),
  only_one   boolean NOT NULL DEFAULT true,
  CONSTRAINT queue_pk PRIMARY KEY (only_one),
  CONSTRAINT queue_only_one CHECK (only_one)
);

CREATE FUNCTION messaging.publish(p_topic text, p_type text, p_events json) RETURNS void LANGUAGE sql VOLATILE AS $$
  WITH incoming AS MATERIALIZED (
    SELECT * FROM ROWS FROM (
      json_to_recordset(p_events) AS (key text, id uuid, traceparent text, payload text)
    ) WITH ORDINALITY AS e(key, id, traceparent, payload, ordinal)
  ), locks AS MATERIALIZED (
    SELECT pg_advisory_xact_lock(hash) FROM (
      SELECT DISTINCT hashtextextended(p_topic || chr(31) || key, 0) AS hash FROM incoming ORDER BY hash
    ) AS sorted
  )
  INSERT INTO messaging.outbox (topic, key, type, event_id, traceparent, payload)
  SELECT p_topic, key, p_type, id, traceparent, payload FROM incoming
  WHERE (SELECT count(*) FROM locks) > 0
  ORDER BY ordinal
$$;

CREATE FUNCTION messaging.next_to_send(p_sent bigint[], p_limit integer, p_bytes bigint)
RETURNS SETOF messaging.outbox LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF cardinality(p_sent) > 0 THEN
    PERFORM set_config('synchronous_commit', 'off', true);
    DELETE FROM messaging.outbox o WHERE o.id = ANY(p_sent);
  END IF;
  RETURN QUERY
  SELECT (sized.row).* FROM (
    SELECT next AS row, sum(octet_length(next.payload)) OVER (ORDER BY next.id) AS bytes,
           row_number() OVER (ORDER BY next.id) AS place
    FROM (SELECT * FROM messaging.outbox o ORDER BY o.id LIMIT p_limit) AS next
  ) AS sized
  WHERE sized.place = 1 OR sized.bytes <= p_bytes ORDER BY sized.place;
END
$$;

CREATE TABLE messaging.paused (
  subscription text NOT NULL,
  paused_by    text NOT NULL,
  reason       text NOT NULL,
  paused_at    timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT paused_pk PRIMARY KEY (subscription)
);

CREATE TABLE messaging.parked (
  subscription text NOT NULL,
  topic        text NOT NULL,
  partition    integer NOT NULL,
  position     bigint NOT NULL,
  key          text NOT NULL,
  headers      text NOT NULL,
  payload      bytea NOT NULL,
  appended_at  timestamptz NOT NULL,
  attempts     integer NOT NULL DEFAULT 0,
  errors       jsonb NOT NULL DEFAULT '[]',
  due_at       timestamptz NOT NULL DEFAULT now(),
  -- Given up and waiting for an operator; its key waits with it.
  held         boolean NOT NULL DEFAULT false,
  CONSTRAINT parked_pk PRIMARY KEY (subscription, topic, partition, position)
);
CREATE INDEX parked_key ON messaging.parked (subscription, topic, key, position);
CREATE INDEX parked_due ON messaging.parked (subscription, due_at) WHERE NOT held;

CREATE TABLE messaging.outcome (
  id           bigint GENERATED ALWAYS AS IDENTITY,
  subscription text NOT NULL,
  topic        text NOT NULL,
  partition    integer NOT NULL,
  was          text NOT NULL,
  became       text NOT NULL,
  CONSTRAINT outcome_pk PRIMARY KEY (id)
);
CREATE INDEX outcome_place ON messaging.outcome (subscription, topic, partition);

CREATE VIEW messaging.progress AS
SELECT p.subscription, p.topic, p.partition, p.position, p.started_at, p.skipped, p.duplicate,
       p.handled + o.handled AS handled, p.parked + o.parked AS parked, p.dead + o.dead AS dead,
       o.discarded
FROM messaging.consumer_progress p CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE became = 'handled') - count(*) FILTER (WHERE was = 'handled') AS handled,
         count(*) FILTER (WHERE became = 'parked') - count(*) FILTER (WHERE was = 'parked') AS parked,
         count(*) FILTER (WHERE became = 'dead') - count(*) FILTER (WHERE was = 'dead') AS dead,
         count(*) FILTER (WHERE became = 'discarded') - count(*) FILTER (WHERE was = 'discarded') AS discarded
  FROM messaging.outcome WHERE subscription = p.subscription AND topic = p.topic AND partition = p.partition
) AS o;

CREATE FUNCTION messaging.begin_batch(
  p_subscription text, p_topic text, p_partition integer, p_epoch bigint, p_first bigint,
  p_ids text[], p_positions bigint[], p_sources text[], p_keys text[], p_sequences bigint[],
  OUT settled bigint, OUT fresh text[], OUT parked text[]
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE owner_epoch bigint;
BEGIN
  IF EXISTS (SELECT FROM messaging.paused WHERE subscription = p_subscription) THEN
    RAISE EXCEPTION '% is paused', p_subscription USING ERRCODE = 'SL002';
  END IF;

  INSERT INTO messaging.consumer_progress AS progress (subscription, topic, partition, epoch, started_at, position)
  VALUES (p_subscription, p_topic, p_partition, p_epoch, p_first - 1, p_first - 1)
  ON CONFLICT (subscription, topic, partition)
  DO UPDATE SET epoch = greatest(progress.epoch, excluded.epoch)
  RETURNING epoch, position INTO owner_epoch, settled;

  IF owner_epoch > p_epoch THEN
    RAISE EXCEPTION 'stale owner: epoch % of %/% was overtaken by %', p_epoch, p_topic, p_partition, owner_epoch
      USING ERRCODE = 'SL001';
  END IF;

  WITH receipts AS (
    INSERT INTO messaging.inbox (subscription, message_id, key_hash, sequence)
    SELECT p_subscription, m.id, hashtextextended(concat_ws(chr(31), m.source, p_topic, m.key), 0), m.sequence
    FROM unnest(p_ids, p_positions, p_sources, p_keys, p_sequences) AS m(id, position, source, key, sequence)
    WHERE m.position > settled
    ON CONFLICT DO NOTHING RETURNING message_id
  )
  SELECT coalesce(array_agg(message_id), '{}') INTO fresh FROM receipts;

  SELECT coalesce(array_agg(DISTINCT p.key), '{}') INTO parked FROM messaging.parked p
  WHERE p.subscription = p_subscription AND p.topic = p_topic AND p.key = ANY(p_keys);
END
$$;

CREATE TABLE messaging.timer (
  type        text NOT NULL,
  key         text NOT NULL,
  topic       text NOT NULL,
  traceparent text NOT NULL,
  payload     text NOT NULL,
  due_at      timestamptz NOT NULL,
  CONSTRAINT timer_pk PRIMARY KEY (type, key)
);
CREATE INDEX timer_due_at ON messaging.timer (due_at);

INSERT INTO migration (timestamp, name) VALUES (1700000000001, 'MessagingTables1700000000001');

-- OperatorTables1700000000002

CREATE TABLE messaging.operator_action (
  id           bigint GENERATED ALWAYS AS IDENTITY,
  acted_at     timestamptz NOT NULL DEFAULT now(),
  acted_by     text NOT NULL,
  action       text NOT NULL,
  subscription text NOT NULL,
  dead_letter  uuid,
  note         text,
  CONSTRAINT operator_action_pk PRIMARY KEY (id),
  CONSTRAINT operator_action_known CHECK (action IN ('pause', 'resume', 'replay', 'discard'))
);
CREATE INDEX operator_action_newest ON messaging.operator_action (acted_at DESC, id DESC);

CREATE TABLE messaging.waiting (
  subscription text NOT NULL,
  since        timestamptz NOT NULL DEFAULT now(),
  -- Who waits says so again and again; one that was killed meanwhile does not.
  noted_at     timestamptz NOT NULL DEFAULT now(),
  reason       text NOT NULL,
  CONSTRAINT waiting_pk PRIMARY KEY (subscription)
);

CREATE TABLE messaging.alert (
  id         uuid NOT NULL,
  subject    text NOT NULL,
  kind       text NOT NULL,
  value      float8 NOT NULL,
  threshold  float8 NOT NULL,
  message    text NOT NULL,
  raised_at  timestamptz NOT NULL DEFAULT now(),
  cleared_at timestamptz,
  CONSTRAINT alert_pk PRIMARY KEY (id),
  CONSTRAINT alert_kind_known CHECK (kind IN ('lag', 'age', 'parked', 'dead', 'waiting', 'outbox'))
);
CREATE UNIQUE INDEX alert_open ON messaging.alert (subject, kind) WHERE cleared_at IS NULL;
CREATE INDEX alert_newest ON messaging.alert (raised_at DESC, id DESC);

CREATE TABLE messaging.alert_notice (
  id       bigint GENERATED ALWAYS AS IDENTITY,
  alert_id uuid NOT NULL,
  what     text NOT NULL,
  CONSTRAINT alert_notice_pk PRIMARY KEY (id),
  CONSTRAINT alert_notice_what_known CHECK (what IN ('raised', 'cleared')),
  CONSTRAINT alert_notice_alert_fk FOREIGN KEY (alert_id) REFERENCES messaging.alert (id) ON DELETE CASCADE
);

DROP INDEX messaging.dead_letter_newest;
ALTER TABLE messaging.dead_letter ALTER COLUMN dead_at TYPE timestamptz(3);
CREATE INDEX dead_letter_newest ON messaging.dead_letter (dead_at DESC, id DESC);
CREATE INDEX dead_letter_undecided ON messaging.dead_letter (subscription) WHERE status = 'dead';

INSERT INTO migration (timestamp, name) VALUES (1700000000002, 'OperatorTables1700000000002');
