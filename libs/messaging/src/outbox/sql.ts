/**
 * Locks every key, then takes the numbers: a transaction that waits here gets its numbers after the one it
 * waited for has committed, so per key the outbox is in commit order. The locks are taken sorted, so that two
 * publishers of the same keys cannot deadlock. The sub-select on `locks` makes the order of the two certain.
 */
export const CREATE_PUBLISH = `
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
$$`;

export const PUBLISH = 'SELECT messaging.publish($1, $2, $3::json)';

/**
 * The next rows to send: at most $1 of them, and no more than $2 bytes unless the first alone has more. Always
 * from the lowest number there is: a transaction that commits late is below others that were sent, and what
 * comes after it of its key must not be sent before it. One statement sees both or the first alone.
 */
export const FETCH = `
SELECT id, topic, key, type, event_id, traceparent, payload, created_at FROM (
  SELECT *, sum(octet_length(payload)) OVER (ORDER BY id) - octet_length(payload) AS bytes_before FROM (
    SELECT * FROM messaging.outbox ORDER BY id LIMIT $1
  ) AS next
) AS sized WHERE bytes_before = 0 OR bytes_before + octet_length(payload) <= $2 ORDER BY id`;

export const DELETE_SENT = 'DELETE FROM messaging.outbox WHERE id = ANY($1::bigint[])';
