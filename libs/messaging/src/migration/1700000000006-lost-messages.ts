import type { MigrationInterface, QueryRunner } from 'typeorm';

const LOST = `
ALTER TABLE messaging.consumer_progress
  ADD COLUMN lost bigint NOT NULL DEFAULT 0,
  ADD COLUMN lost_at timestamptz,
  DROP CONSTRAINT consumer_progress_adds_up,
  ADD CONSTRAINT consumer_progress_adds_up CHECK
    (position - started_at = handled + skipped + duplicate + parked + dead + lost)`;

const PROGRESS = `
CREATE OR REPLACE VIEW messaging.progress AS
SELECT p.subscription, p.topic, p.partition, p.position, p.started_at, p.skipped, p.duplicate,
       p.handled + o.handled AS handled, p.parked + o.parked AS parked, p.dead + o.dead AS dead,
       o.discarded, p.lost, p.lost_at
FROM messaging.consumer_progress p CROSS JOIN LATERAL (
  SELECT coalesce(sum(count * (CASE 'handled' WHEN became THEN 1 WHEN was THEN -1 ELSE 0 END)), 0) AS handled,
         coalesce(sum(count * (CASE 'parked' WHEN became THEN 1 WHEN was THEN -1 ELSE 0 END)), 0) AS parked,
         coalesce(sum(count * (CASE 'dead' WHEN became THEN 1 WHEN was THEN -1 ELSE 0 END)), 0) AS dead,
         coalesce(sum(count * (CASE 'discarded' WHEN became THEN 1 WHEN was THEN -1 ELSE 0 END)), 0) AS discarded
  FROM messaging.outcome WHERE subscription = p.subscription AND topic = p.topic AND partition = p.partition
) AS o`;

const ALERT = `
ALTER TABLE messaging.alert DROP CONSTRAINT alert_kind_known;
ALTER TABLE messaging.alert ADD CONSTRAINT alert_kind_known
  CHECK (kind IN ('lag', 'age', 'parked', 'dead', 'waiting', 'outbox', 'lost'))`;

/** Messages that the queue had and lost are counted by themselves, and raise an alert. */
export class LostMessages1700000000006 implements MigrationInterface {
  readonly name = 'LostMessages1700000000006';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [LOST, PROGRESS, ALERT]) await runner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('LostMessages1700000000006 cannot be undone; restore a backup'));
  }
}
