import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The payload stays JSON all the way: taken as text, a bare string would lose its quotes. */
const PUBLISH = `
CREATE OR REPLACE FUNCTION messaging.publish(p_topic text, p_type text, p_events json)
RETURNS void LANGUAGE sql VOLATILE AS $$
  WITH incoming AS MATERIALIZED (
    SELECT * FROM ROWS FROM (
      json_to_recordset(p_events) AS (key text, id uuid, traceparent text, payload json)
    ) WITH ORDINALITY AS e(key, id, traceparent, payload, ordinal)
  ), locks AS MATERIALIZED (
    SELECT pg_advisory_xact_lock(hash) FROM (
      SELECT DISTINCT hashtextextended(p_topic || chr(31) || key, 0) AS hash FROM incoming ORDER BY hash
    ) AS sorted
  )
  INSERT INTO messaging.outbox (topic, key, type, event_id, traceparent, payload)
  SELECT p_topic, key, p_type, id, traceparent, coalesce(payload::text, 'null') FROM incoming
  WHERE (SELECT count(*) FROM locks) > 0
  ORDER BY ordinal
$$`;

const REFUSED = `
ALTER TABLE messaging.dead_letter DROP CONSTRAINT dead_letter_reason_known;
ALTER TABLE messaging.dead_letter ADD CONSTRAINT dead_letter_reason_known
  CHECK (reason IN ('invalid', 'failed', 'refused'))`;

/** Events that the queue refuses for good are dead letters of the outbox. */
export class OutgoingDeadLetters1700000000005 implements MigrationInterface {
  readonly name = 'OutgoingDeadLetters1700000000005';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [PUBLISH, REFUSED]) await runner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('OutgoingDeadLetters1700000000005 cannot be undone; restore a backup'));
  }
}
