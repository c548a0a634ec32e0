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

export const LIST_DEAD_LETTERS = `
SELECT ${COLUMNS} FROM messaging.dead_letter
WHERE status = $2 AND ($3::text IS NULL OR subscription = $3) ORDER BY dead_at DESC, id LIMIT $1`;

/** Decides on a letter that nobody has decided on yet; no row when there is none. */
export const DECIDE = `
UPDATE messaging.dead_letter SET status = $2, decided_at = now(), decided_by = $3, note = $4
WHERE id = $1 AND status = 'dead'
RETURNING subscription, topic, partition, position::float8 AS position, holds_key, reason, headers`;

/** Back among the parked, at its place in its key, due now. */
export const REPARK = `
INSERT INTO messaging.parked (subscription, topic, partition, position, key, headers, payload, appended_at)
SELECT subscription, topic, partition, position, key, headers, payload, appended_at
FROM messaging.dead_letter WHERE id = $1`;

/** One that held its key is still parked. */
export const RELEASE = `
UPDATE messaging.parked SET held = false, attempts = 0, due_at = now()
WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = $4`;
