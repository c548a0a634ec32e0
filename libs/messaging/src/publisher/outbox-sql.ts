/**
 * `messaging.publish` locks every key, then takes the numbers: a transaction that waits here gets its numbers after
 * the one it waited for has committed, so per key the outbox is in commit order. The locks are taken sorted, so that
 * two publishers of the same keys cannot deadlock.
 */
export const PUBLISH = 'SELECT messaging.publish($1, $2, $3::json)';

/**
 * `messaging.next_to_send` deletes what was sent and returns the next rows to send: at most $2 of them, and no more
 * than $3 bytes unless the first alone has more. Always from the lowest number there is: a transaction that commits
 * late is below others that were sent, and what comes after it of its key must not be sent before it. One statement
 * sees both or the first alone. Losing the delete in a crash of the database only sends again, so it does not wait
 * for the disk.
 */
export const NEXT_TO_SEND = 'SELECT * FROM messaging.next_to_send($1::bigint[], $2, $3)';

export const HIGHEST = 'SELECT coalesce(max(id), 0) AS id FROM messaging.outbox';

/** Rows that wait to be sent. */
export const OUTBOX_DEPTH = 'SELECT count(*)::int AS depth FROM messaging.outbox';
