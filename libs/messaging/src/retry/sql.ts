/**
 * Messages whose handler failed, and those of the same key that came after them, in the order of their positions.
 * The first of a key is tried again when it is due; the others wait for it.
 */
export const CREATE_PARKED = `
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
CREATE INDEX parked_due ON messaging.parked (subscription, due_at) WHERE NOT held;`;

export const PARK = `
INSERT INTO messaging.parked (subscription, topic, partition, position, key, headers, payload, appended_at, attempts, errors, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, now() + make_interval(secs => $11))`;

export const COUNT_PARKED = 'SELECT count(*)::int AS count FROM messaging.parked WHERE subscription = $1';

/**
 * The next message to try again, locked until the transaction ends; one that another instance has is passed over.
 * A message is first of its key until the one before it is gone for all to see.
 */
export const TAKE_DUE = `
SELECT p.topic, p.partition, p.position::float8 AS position, p.key, p.headers, p.payload, p.appended_at, p.attempts
FROM messaging.parked p
WHERE p.subscription = $1 AND NOT p.held AND p.due_at <= now() AND NOT EXISTS (
  SELECT FROM messaging.parked before
  WHERE before.subscription = p.subscription AND before.topic = p.topic AND before.key = p.key
    AND before.position < p.position)
  AND NOT EXISTS (SELECT FROM messaging.paused WHERE subscription = p.subscription)
ORDER BY p.due_at, p.position LIMIT 1 FOR UPDATE OF p SKIP LOCKED`;

export const UNPARK =
  'DELETE FROM messaging.parked WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = $4';

/** Most errors kept of one message: the first ones go when there are more. */
const ERRORS_KEPT = 20;

export const NOTE_FAILURE = `
UPDATE messaging.parked
SET attempts = attempts + 1, due_at = now() + make_interval(secs => $6),
    errors = CASE WHEN jsonb_array_length(errors) >= ${ERRORS_KEPT} THEN errors - 0 ELSE errors END || $5::jsonb
WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = $4 RETURNING attempts`;

/** Not the message's fault: it is tried again later, and no attempt is counted. */
export const POSTPONE = `
UPDATE messaging.parked SET due_at = now() + make_interval(secs => $5)
WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = $4`;

/**
 * A receipt is as old as its handling, which is now and not when the message was parked. One that was given up
 * and is replayed comes after what its key did meanwhile, as its operator wanted: its receipt stays where it was.
 */
export const RENEW_RECEIPT = `
UPDATE messaging.inbox SET ordinal = DEFAULT
WHERE subscription = $1 AND message_id = $5 AND NOT EXISTS (
  SELECT FROM messaging.dead_letter
  WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = $4)`;

export const HOLD = `
UPDATE messaging.parked SET held = true
WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = $4`;

/**
 * What became of messages that had been parked: from one count to another. A row of its own and not an update of
 * the progress: a consumer holds that row while its handler waits for what the retrier's handler has.
 */
export const CREATE_OUTCOME = `
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
  SELECT ${(['handled', 'parked', 'dead', 'discarded'] as const)
    .map(
      count =>
        `count(*) FILTER (WHERE became = '${count}') - count(*) FILTER (WHERE was = '${count}') AS ${count}`,
    )
    .join(',\n         ')}
  FROM messaging.outcome WHERE subscription = p.subscription AND topic = p.topic AND partition = p.partition
) AS o;`;

export type Count = 'handled' | 'parked' | 'dead' | 'discarded';

export const NOTE_OUTCOME = `
INSERT INTO messaging.outcome (subscription, topic, partition, was, became) VALUES ($1, $2, $3, $4, $5)`;

/** One message of a key at a time, whichever instance has it: a replay can put one before another that is in hand. */
export const LOCK_KEY =
  'SELECT pg_advisory_xact_lock(hashtextextended(concat_ws(chr(31), $1::text, $2::text, $3::text), 1))';

/** No consumer is in the middle of a batch of the partition. */
export const LOCK_PARTITION = `
SELECT 1 FROM messaging.consumer_progress
WHERE subscription = $1 AND topic = $2 AND partition = $3 FOR UPDATE`;

/** A letter that did not parse has no receipt; one that is tried again needs one. No row when a copy was handled. */
export const TAKE_RECEIPT = `
INSERT INTO messaging.inbox (subscription, message_id, key_hash) VALUES ($1, $2, 0)
ON CONFLICT DO NOTHING RETURNING message_id`;

export const GIVE_UP_RECEIPT = 'DELETE FROM messaging.inbox WHERE subscription = $1 AND message_id = $2';
