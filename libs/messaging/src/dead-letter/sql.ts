export const BURY_INVALID = `
INSERT INTO messaging.dead_letter
  (id, subscription, topic, partition, position, key, headers, payload, appended_at, reason, errors)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'invalid', $10::jsonb)`;

/** One that was replayed and fails again is the same letter. */
export const BURY_PARKED = `
INSERT INTO messaging.dead_letter
  (id, subscription, topic, partition, position, key, headers, payload, appended_at, reason, errors, holds_key)
SELECT $5::uuid, subscription, topic, partition, position, key, headers, payload, appended_at, $7, errors, $6
FROM messaging.parked WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = $4
ON CONFLICT (subscription, topic, partition, position) DO UPDATE
SET status = 'dead', reason = excluded.reason, errors = excluded.errors, holds_key = excluded.holds_key, dead_at = now(),
    decided_at = NULL, decided_by = NULL, note = NULL`;

const COLUMNS = `id, subscription, topic, partition, position::float8 AS position, key, headers,
       encode(payload, 'base64') AS payload, appended_at, reason, errors, holds_key, dead_at, status, decided_at,
       decided_by, note`;

/**
 * Headers are matched as the text that they are kept as: a stranger's may hold what PostgreSQL takes for no JSON.
 * $2 to $10 are a filter, each null where nothing is asked.
 */
const FITS = `
($2::text IS NULL OR subscription = $2) AND ($3::text IS NULL OR position($3 IN headers) > 0)
AND ($4::text IS NULL OR key = $4) AND ($5::text IS NULL OR reason = $5)
AND ($6::text IS NULL OR EXISTS (
  SELECT FROM jsonb_array_elements(errors) AS attempt WHERE position(lower($6) IN lower(attempt ->> 'error')) > 0))
AND ($7::text IS NULL OR position(convert_to($7, 'UTF8') IN payload) > 0)
AND ($8::text IS NULL OR position($8 IN headers) > 0)
AND ($9::timestamptz IS NULL OR dead_at >= $9) AND ($10::timestamptz IS NULL OR dead_at <= $10)`;

export const LIST_DEAD_LETTERS = `
SELECT ${COLUMNS} FROM messaging.dead_letter
WHERE status = $11 AND ${FITS} AND ($12::timestamptz IS NULL OR (dead_at, id) < ($12, $13::uuid))
ORDER BY dead_at DESC, id DESC LIMIT $1`;

export const GET_DEAD_LETTER = `SELECT ${COLUMNS} FROM messaging.dead_letter WHERE id = $1`;

/** Undecided ones that died up to a moment, in the order in which they were appended. */
export const FIND_UNDECIDED = `
SELECT id FROM messaging.dead_letter WHERE status = 'dead' AND ${FITS} AND dead_at <= $11
ORDER BY subscription, topic, partition, position LIMIT $1 OFFSET $12`;

/** Decides on a letter that nobody has decided on yet; no row when there is none. */
export const DECIDE = `
UPDATE messaging.dead_letter SET status = $2, decided_at = now(), decided_by = $3, note = $4
WHERE id = $1 AND status = 'dead'
RETURNING subscription, topic, partition, position::float8 AS position, key, holds_key, reason, headers`;

/** Back among the parked, at its place in its key, due now. */
export const REPARK = `
INSERT INTO messaging.parked (subscription, topic, partition, position, key, headers, payload, appended_at)
SELECT subscription, topic, partition, position, key, headers, payload, appended_at
FROM messaging.dead_letter WHERE id = $1`;

/** One that held its key is still parked. */
export const RELEASE = `
UPDATE messaging.parked SET held = false, attempts = 0, due_at = now()
WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = $4`;

export const NOW = 'SELECT now()::timestamptz(3) AS now';

export const COUNT_UNDECIDED = `
SELECT subscription, count(*)::int AS count FROM messaging.dead_letter WHERE status = 'dead' GROUP BY subscription`;
