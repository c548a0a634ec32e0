/**
 * `messaging.publish` locks every key, then assigns the numbers. A transaction that waits here gets its
 * numbers after the one it waited for has committed, so per key the outbox is in commit order. The locks are
 * taken in sorted order, so that two publishers of the same keys cannot deadlock.
 */
export const PUBLISH = 'SELECT messaging.publish($1, $2, $3::json)';

/**
 * `messaging.next_to_send` deletes what was sent and returns the next rows to send: at most $2 rows, and at
 * most $3 bytes unless the first row alone has more. It always starts at the lowest number. A transaction
 * that commits late is below rows that were already sent, and later rows of its key must not be sent before
 * it. One statement sees both or the first alone. If a crash of the database loses the delete, the rows are
 * only sent again, so the delete does not wait for the disk.
 */
export const NEXT_TO_SEND = 'SELECT * FROM messaging.next_to_send($1::bigint[], $2, $3)';

export const HIGHEST = 'SELECT coalesce(max(id), 0) AS id FROM messaging.outbox';

/** Rows that wait to be sent, and since when the oldest of them does. */
export const OUTBOX_STATE =
  'SELECT count(*)::int AS depth, min(created_at) AS "oldestAt" FROM messaging.outbox';

/** Takes a row out that is not to be sent. */
export const REMOVE = 'DELETE FROM messaging.outbox WHERE id = $1';

/** Frees the space of deleted rows for others; giving it back to the system would need a strong lock. */
export const VACUUM = 'VACUUM (TRUNCATE false, SKIP_LOCKED) messaging.outbox';

/** Puts a dead letter of the outbox back, behind what waits now: what $2 says of it is its headers. */
export const SEND_AGAIN = `
INSERT INTO messaging.outbox (topic, key, type, event_id, traceparent, payload)
SELECT topic, key, $2::json ->> 'ce_type', ($2::json ->> 'ce_id')::uuid, $2::json ->> 'traceparent',
       convert_from(payload, 'UTF8')
FROM messaging.dead_letter WHERE id = $1`;
