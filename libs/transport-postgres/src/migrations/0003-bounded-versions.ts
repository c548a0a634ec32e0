/**
 * Where partitions end and how far groups are changes all the time. Beside a transaction that is held open, such as a
 * backup, PostgreSQL keeps every version of such a row, and each change would look through all of them. So a row takes
 * a hundred changes, then another takes over, and only the last one is looked for.
 */
export const boundedVersions = {
  name: '0003-bounded-versions',
  sql: `
SET LOCAL lock_timeout = '2s';

CREATE TABLE partition_end (
  topic      text NOT NULL,
  partition  integer NOT NULL,
  generation bigint NOT NULL,
  changes    integer NOT NULL DEFAULT 0,
  head       bigint NOT NULL,
  CONSTRAINT partition_end_pk PRIMARY KEY (topic, partition, generation)
) WITH (fillfactor = 50);
INSERT INTO partition_end (topic, partition, generation, head) SELECT topic, partition, 1, head FROM partition;
ALTER TABLE partition DROP COLUMN head;

CREATE TABLE group_position (
  group_name text NOT NULL,
  topic      text NOT NULL,
  partition  integer NOT NULL,
  generation bigint NOT NULL,
  changes    integer NOT NULL DEFAULT 0,
  committed  bigint NOT NULL,
  CONSTRAINT group_position_pk PRIMARY KEY (group_name, topic, partition, generation)
) WITH (fillfactor = 50);
INSERT INTO group_position (group_name, topic, partition, generation, committed)
SELECT group_name, topic, partition, 1, committed FROM assignment;
ALTER TABLE assignment DROP COLUMN committed;

CREATE FUNCTION head_of(p_topic text, p_partition integer) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT head FROM partition_end WHERE topic = p_topic AND partition = p_partition ORDER BY generation DESC LIMIT 1
$$;

CREATE FUNCTION committed_of(p_group text, p_topic text, p_partition integer) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT committed FROM group_position
  WHERE group_name = p_group AND topic = p_topic AND partition = p_partition ORDER BY generation DESC LIMIT 1
$$;

-- Appends in one short transaction. The partition rows are locked in one order, so that appends cannot deadlock;
-- under the lock positions are dense and in commit order. One NOTIFY, whatever the number. The payloads come end to
-- end in one piece: a list of them would travel as text, twice as long. A plan made while the tables were small must
-- not read them from end to end later.
CREATE OR REPLACE FUNCTION append(
  p_topics text[], p_partitions integer[], p_keys text[], p_headers text[], p_lengths integer[], p_payloads bytea
) RETURNS void LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
BEGIN
  PERFORM 1 FROM partition
  WHERE (topic, partition) IN (SELECT DISTINCT t, p FROM unnest(p_topics, p_partitions) AS m(t, p))
  ORDER BY topic, partition FOR NO KEY UPDATE;

  WITH added AS MATERIALIZED (
    SELECT m.t, m.p, m.n, e.generation, e.changes, e.head
    FROM (SELECT t, p, count(*) AS n FROM unnest(p_topics, p_partitions) AS m(t, p) GROUP BY t, p) AS m
    CROSS JOIN LATERAL (
      SELECT generation, changes, head FROM partition_end
      WHERE topic = m.t AND partition = m.p ORDER BY generation DESC LIMIT 1
    ) AS e
  ), appended AS (
    INSERT INTO message (topic, partition, position, key, headers, payload, appended_at)
    SELECT m.topic, m.partition,
           added.head + row_number() OVER (PARTITION BY m.topic, m.partition ORDER BY m.ordinal),
           m.key, m.headers, substr(p_payloads, m.until - m.length + 1, m.length), clock_timestamp()
    FROM (
      SELECT *, (sum(length) OVER (ORDER BY ordinal))::integer AS until
      FROM unnest(p_topics, p_partitions, p_keys, p_headers, p_lengths)
           WITH ORDINALITY AS m(topic, partition, key, headers, length, ordinal)
    ) AS m
    JOIN added ON added.t = m.topic AND added.p = m.partition
  ), changed AS (
    UPDATE partition_end e SET head = added.head + added.n, changes = added.changes + 1 FROM added
    WHERE e.topic = added.t AND e.partition = added.p AND e.generation = added.generation AND added.changes < 100
  ), ended AS (
    DELETE FROM partition_end e USING added
    WHERE e.topic = added.t AND e.partition = added.p AND e.generation = added.generation AND added.changes >= 100
  )
  INSERT INTO partition_end (topic, partition, generation, head)
  SELECT t, p, generation + 1, head + n FROM added WHERE changes >= 100;

  PERFORM pg_notify('sluice_appended', array_to_string(ARRAY(SELECT DISTINCT unnest(p_topics)), ' '));
END
$$;

-- Losing a commit in a crash of the server only brings messages again, so it need not wait for the disk.
CREATE OR REPLACE FUNCTION commit_position(
  p_group text, p_topic text, p_partition integer, p_owner text, p_epoch bigint, p_position bigint
) RETURNS boolean LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE last group_position;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  -- Whoever takes the partition over waits for this, and the owner before is refused.
  PERFORM 1 FROM assignment
  WHERE group_name = p_group AND topic = p_topic AND partition = p_partition AND owner = p_owner AND epoch = p_epoch
  FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  SELECT * INTO last FROM group_position
  WHERE group_name = p_group AND topic = p_topic AND partition = p_partition ORDER BY generation DESC LIMIT 1;
  IF last.changes < 100 THEN
    UPDATE group_position SET committed = greatest(committed, p_position), changes = changes + 1
    WHERE group_name = p_group AND topic = p_topic AND partition = p_partition AND generation = last.generation;
  ELSE
    DELETE FROM group_position
    WHERE group_name = p_group AND topic = p_topic AND partition = p_partition AND generation = last.generation;
    INSERT INTO group_position (group_name, topic, partition, generation, committed)
    VALUES (p_group, p_topic, p_partition, coalesce(last.generation, 0) + 1,
            greatest(coalesce(last.committed, 0), p_position));
  END IF;
  RETURN true;
END
$$;`,
};
