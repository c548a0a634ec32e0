-- Made once: a log that is created again has another id.
CREATE TABLE IF NOT EXISTS log_identity AS SELECT gen_random_uuid() AS id;

CREATE TABLE IF NOT EXISTS topic (
  name       text NOT NULL,
  partitions integer NOT NULL CONSTRAINT topic_partitions_positive CHECK (partitions > 0),
  CONSTRAINT topic_pk PRIMARY KEY (name)
);

CREATE TABLE IF NOT EXISTS partition (
  topic     text NOT NULL,
  partition integer NOT NULL,
  head      bigint NOT NULL DEFAULT 0,
  CONSTRAINT partition_pk PRIMARY KEY (topic, partition),
  CONSTRAINT partition_topic_fk FOREIGN KEY (topic) REFERENCES topic (name)
) WITH (fillfactor = 50);

CREATE TABLE IF NOT EXISTS message (
  topic       text NOT NULL,
  partition   integer NOT NULL,
  position    bigint NOT NULL,
  key         text NOT NULL,
  headers     text NOT NULL,
  payload     bytea NOT NULL,
  appended_at timestamptz NOT NULL,
  CONSTRAINT message_pk PRIMARY KEY (topic, partition, position, appended_at)
) PARTITION BY RANGE (appended_at);

-- A safety net, for a day that nobody made a partition for: an append must never fail for that.
CREATE TABLE IF NOT EXISTS message_default PARTITION OF message DEFAULT;

CREATE TABLE IF NOT EXISTS member (
  group_name text NOT NULL,
  instance   text NOT NULL,
  expires_at timestamptz NOT NULL,
  CONSTRAINT member_pk PRIMARY KEY (group_name, instance)
);

CREATE TABLE IF NOT EXISTS assignment (
  group_name text NOT NULL,
  topic      text NOT NULL,
  partition  integer NOT NULL,
  owner      text,
  epoch      bigint NOT NULL DEFAULT 0,
  expires_at timestamptz NOT NULL DEFAULT '-infinity',
  committed  bigint NOT NULL,
  active_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT assignment_pk PRIMARY KEY (group_name, topic, partition),
  CONSTRAINT assignment_partition_fk FOREIGN KEY (topic, partition) REFERENCES partition (topic, partition)
) WITH (fillfactor = 50);

CREATE OR REPLACE FUNCTION append(
  p_topics text[], p_partitions integer[], p_keys text[], p_headers text[], p_lengths integer[], p_payloads bytea
) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM 1 FROM partition
  WHERE (topic, partition) IN (SELECT DISTINCT t, p FROM unnest(p_topics, p_partitions) AS m(t, p))
  ORDER BY topic, partition FOR UPDATE;

  INSERT INTO message (topic, partition, position, key, headers, payload, appended_at)
  SELECT m.topic, m.partition, p.head + row_number() OVER (PARTITION BY m.topic, m.partition ORDER BY m.ordinal),
         m.key, m.headers, substr(p_payloads, m.until - m.length + 1, m.length), clock_timestamp()
  FROM (
    SELECT *, (sum(length) OVER (ORDER BY ordinal))::integer AS until
    FROM unnest(p_topics, p_partitions, p_keys, p_headers, p_lengths)
         WITH ORDINALITY AS m(topic, partition, key, headers, length, ordinal)
  ) AS m
  JOIN partition p ON p.topic = m.topic AND p.partition = m.partition;

  UPDATE partition SET head = head + added.n
  FROM (SELECT t, p, count(*) AS n FROM unnest(p_topics, p_partitions) AS m(t, p) GROUP BY t, p) AS added
  WHERE topic = added.t AND partition = added.p;

  PERFORM pg_notify('sluice_appended', array_to_string(ARRAY(SELECT DISTINCT unnest(p_topics)), ' '));
END
$$;

CREATE OR REPLACE FUNCTION commit_position(
  p_group text, p_topic text, p_partition integer, p_owner text, p_epoch bigint, p_position bigint
) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  UPDATE assignment SET committed = greatest(committed, p_position), active_at = now()
  WHERE group_name = p_group AND topic = p_topic AND partition = p_partition AND owner = p_owner AND epoch = p_epoch;
  RETURN FOUND;
END
$$;
