export const SCHEDULE = `
INSERT INTO messaging.timer (type, key, topic, traceparent, payload, due_at)
SELECT $2, key, $1, traceparent, coalesce(payload::text, 'null'), greatest(due_at, now())
FROM json_to_recordset($3::json) AS timer(key text, traceparent text, payload json, due_at timestamptz)
ON CONFLICT (type, key) DO UPDATE
SET topic = excluded.topic, traceparent = excluded.traceparent, payload = excluded.payload, due_at = excluded.due_at`;

export const CANCEL = 'DELETE FROM messaging.timer WHERE type = $1 AND key = ANY($2::text[])';

/** Moves due timers to the outbox, in one statement: an event is in one of the two, never in both. */
export const FIRE = `
WITH due AS (
  DELETE FROM messaging.timer WHERE (type, key) IN (
    SELECT type, key FROM messaging.timer WHERE due_at <= now()
    ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
  ) RETURNING topic, type, key, traceparent, payload, due_at
), fired AS (
  SELECT topic, type, count(*)::int AS count, json_agg(json_build_object(
    'key', key, 'id', gen_random_uuid(), 'traceparent', traceparent, 'payload', payload::json) ORDER BY due_at) AS events
  FROM due GROUP BY topic, type ORDER BY topic, type
)
SELECT count, messaging.publish(topic, type, events)::text FROM fired`;

/** Milliseconds until the next timer, by the database's clock; null when there is none. */
export const NEXT_DUE = `
SELECT (extract(epoch FROM min(due_at) - clock_timestamp()) * 1000)::float8 AS ms FROM messaging.timer`;
