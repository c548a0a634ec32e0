/**
 * Opens the settling of a batch, in the handler's own transaction.
 *
 * Nothing is settled while the subscription is paused. It locks the partition's progress row, so that two owners of one partition settle one after the other, and
 * refuses an owner that a later one has overtaken. What lies at or below the settled position is done already.
 * What has a receipt was handled before, at another position: a relay that crashed between send and delete.
 *
 * Returns the settled position; of the ids asked for, those that are new; and of their keys, those that have
 * messages parked.
 */
export const CREATE_BEGIN_BATCH = `
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
$$`;

export const BEGIN_BATCH =
  'SELECT settled, fresh, parked FROM messaging.begin_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)';

/** SQLSTATE that begin_batch raises when a later owner has the partition. */
export const STALE_OWNER = 'SL001';

export const END_BATCH = `
UPDATE messaging.consumer_progress
SET position = $4, handled = handled + $5, skipped = skipped + $6, duplicate = duplicate + $7, parked = parked + $8,
    dead = dead + $9
WHERE subscription = $1 AND topic = $2 AND partition = $3`;

/**
 * Receipts of messages that were handled after a later one of their key, by subscription. Sequence numbers are
 * given under the key's lock, so they are in the order of the commits.
 */
export const OUT_OF_ORDER = `
SELECT subscription, count(*)::int AS count FROM (
  SELECT subscription, sequence < lag(sequence) OVER (PARTITION BY subscription, key_hash ORDER BY ordinal) AS late
  FROM messaging.inbox WHERE sequence IS NOT NULL
) AS receipts WHERE late GROUP BY subscription`;

/** Receipts are needed only as long as a copy can still arrive. */
export const FORGET_RECEIPTS = `
DELETE FROM messaging.inbox WHERE (subscription, message_id) IN (
  SELECT subscription, message_id FROM messaging.inbox WHERE received_at < now() - $1::interval LIMIT $2)`;
