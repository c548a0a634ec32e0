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
 * Forgets what was sent and gives the next rows to send: at most p_limit of them, and no more than p_bytes unless
 * the first alone has more. Always from the lowest number there is: a transaction that commits late is below others
 * that were sent, and what comes after it of its key must not be sent before it. One statement sees both or the
 * first alone. Losing the delete in a crash of the database only sends again, so it need not wait for the disk.
 */
export const CREATE_NEXT_TO_SEND = `
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
$$`;

export const NEXT_TO_SEND = 'SELECT * FROM messaging.next_to_send($1::bigint[], $2, $3)';

export const HIGHEST = 'SELECT coalesce(max(id), 0) AS id FROM messaging.outbox';
