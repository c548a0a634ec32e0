/**
 * No default partition, which would have to be locked whenever a day is added or taken away; and members that say what
 * they subscribe to.
 */
export const daysWithoutDefault = {
  name: '0002-days-without-default',
  sql: `
-- It waits a moment, not for the end of a backup: the queue would stand still behind it.
SET LOCAL lock_timeout = '2s';
ALTER TABLE message DETACH PARTITION message_default;
DO $$
DECLARE day date;
BEGIN
  FOR day IN SELECT DISTINCT (appended_at AT TIME ZONE 'UTC')::date FROM message_default LOOP
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF message FOR VALUES FROM (%L) TO (%L)',
                   'message_' || to_char(day, 'YYYYMMDD'), day || ' 00:00+00', (day + 1) || ' 00:00+00');
  END LOOP;
  INSERT INTO message SELECT * FROM message_default;
  DROP TABLE message_default;
END
$$;

-- A member of an earlier version does not say it: it subscribes to every topic of its group.
ALTER TABLE member ADD COLUMN topics text[];`,
};
