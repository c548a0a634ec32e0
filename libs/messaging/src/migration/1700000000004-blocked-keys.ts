import type { MigrationInterface, QueryRunner } from 'typeorm';

/** One row for each key that has parked messages, so that finding what is due does not read those messages. */
const BLOCKED_KEY = `
CREATE TABLE messaging.blocked_key (
  subscription text NOT NULL,
  topic        text NOT NULL,
  key          text NOT NULL,
  -- When its first message is due: never, while an operator is to decide on it.
  due_at       timestamptz NOT NULL,
  -- How many messages are being tried, from the first on; what is left of an attempt that ended its process.
  trying       integer NOT NULL DEFAULT 0,
  -- Its messages are tried one by one, because one of several ended the process.
  alone        boolean NOT NULL DEFAULT false,
  CONSTRAINT blocked_key_pk PRIMARY KEY (subscription, topic, key)
) WITH (fillfactor = 50);
CREATE INDEX blocked_key_due ON messaging.blocked_key (subscription, due_at);

INSERT INTO messaging.blocked_key (subscription, topic, key, due_at, trying)
SELECT DISTINCT ON (subscription, topic, key) subscription, topic, key,
       CASE WHEN held THEN 'infinity' ELSE due_at END, trying::integer
FROM messaging.parked ORDER BY subscription, topic, key, position;

DROP INDEX messaging.parked_due;
ALTER TABLE messaging.parked DROP COLUMN trying;
-- A key cannot be unblocked while a message of it is being parked: the constraint locks the key's row.
ALTER TABLE messaging.parked ADD CONSTRAINT parked_blocks_key
  FOREIGN KEY (subscription, topic, key) REFERENCES messaging.blocked_key (subscription, topic, key)`;

const BLOCK_KEYS = `
CREATE FUNCTION messaging.block_keys(p_subscription text, p_topic text, p_keys text[], p_due_at timestamptz)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE v_key text;
BEGIN
  FOREACH v_key IN ARRAY p_keys LOOP
    LOOP
      PERFORM FROM messaging.blocked_key
      WHERE subscription = p_subscription AND topic = p_topic AND key = v_key FOR KEY SHARE;
      EXIT WHEN FOUND;
      INSERT INTO messaging.blocked_key (subscription, topic, key, due_at)
      VALUES (p_subscription, p_topic, v_key, p_due_at) ON CONFLICT DO NOTHING;
    END LOOP;
  END LOOP;
END
$$`;

/** Waits a moment for a batch that may be parking messages of the key, and keeps others from beginning. */
const LOCK_TO_UNBLOCK = `
CREATE FUNCTION messaging.lock_to_unblock(p_subscription text, p_topic text, p_key text)
RETURNS boolean LANGUAGE plpgsql VOLATILE SET lock_timeout = '100ms' AS $$
BEGIN
  PERFORM FROM messaging.blocked_key
  WHERE subscription = p_subscription AND topic = p_topic AND key = p_key FOR UPDATE;
  RETURN FOUND;
EXCEPTION WHEN lock_not_available THEN
  RETURN false;
END
$$`;

/** In the order of the ids, so that the receipts have the order in which the messages were handled. */
const RENEW_RECEIPTS = `
CREATE FUNCTION messaging.renew_receipts(
  p_subscription text, p_topic text, p_partition integer, p_positions bigint[], p_ids text[]
) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  FOR i IN 1 .. cardinality(p_ids) LOOP
    UPDATE messaging.inbox SET ordinal = DEFAULT
    WHERE subscription = p_subscription AND message_id = p_ids[i] AND NOT EXISTS (
      SELECT FROM messaging.dead_letter
      WHERE subscription = p_subscription AND topic = p_topic AND partition = p_partition
        AND position = p_positions[i]);
  END LOOP;
END
$$`;

const COUNT_OUTCOMES = `
ALTER TABLE messaging.outcome ADD COLUMN count integer NOT NULL DEFAULT 1;

CREATE OR REPLACE VIEW messaging.progress AS
SELECT p.subscription, p.topic, p.partition, p.position, p.started_at, p.skipped, p.duplicate,
       p.handled + o.handled AS handled, p.parked + o.parked AS parked, p.dead + o.dead AS dead,
       o.discarded
FROM messaging.consumer_progress p CROSS JOIN LATERAL (
  SELECT coalesce(sum(count * (CASE 'handled' WHEN became THEN 1 WHEN was THEN -1 ELSE 0 END)), 0) AS handled,
         coalesce(sum(count * (CASE 'parked' WHEN became THEN 1 WHEN was THEN -1 ELSE 0 END)), 0) AS parked,
         coalesce(sum(count * (CASE 'dead' WHEN became THEN 1 WHEN was THEN -1 ELSE 0 END)), 0) AS dead,
         coalesce(sum(count * (CASE 'discarded' WHEN became THEN 1 WHEN was THEN -1 ELSE 0 END)), 0) AS discarded
  FROM messaging.outcome WHERE subscription = p.subscription AND topic = p.topic AND partition = p.partition
) AS o`;

/** A key that is being unblocked is waited for, and is then free. One that is blocked stays so for the transaction. */
const BEGIN_BATCH = `
CREATE OR REPLACE FUNCTION messaging.begin_batch(
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

  -- Before the receipts: they are numbered in the order in which messages are handled.
  WITH blocked AS (
    SELECT key FROM messaging.blocked_key
    WHERE subscription = p_subscription AND topic = p_topic AND key = ANY(p_keys) FOR KEY SHARE
  )
  SELECT coalesce(array_agg(key), '{}') INTO parked FROM blocked;

  WITH receipts AS (
    INSERT INTO messaging.inbox (subscription, message_id, key_hash, sequence)
    SELECT p_subscription, m.id, hashtextextended(concat_ws(chr(31), m.source, p_topic, m.key), 0), m.sequence
    FROM unnest(p_ids, p_positions, p_sources, p_keys, p_sequences) AS m(id, position, source, key, sequence)
    WHERE m.position > settled
    ON CONFLICT DO NOTHING RETURNING message_id
  )
  SELECT coalesce(array_agg(message_id), '{}') INTO fresh FROM receipts;
END
$$`;

/** Keys whose messages are parked have a place of their own. */
export class BlockedKeys1700000000004 implements MigrationInterface {
  readonly name = 'BlockedKeys1700000000004';

  async up(runner: QueryRunner): Promise<void> {
    const statements = [
      BLOCKED_KEY,
      BLOCK_KEYS,
      LOCK_TO_UNBLOCK,
      RENEW_RECEIPTS,
      COUNT_OUTCOMES,
      BEGIN_BATCH,
    ];
    for (const statement of statements) await runner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('BlockedKeys1700000000004 cannot be undone; restore a backup'));
  }
}
