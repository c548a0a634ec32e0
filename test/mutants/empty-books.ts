import type { DataSource } from 'typeorm';

const COUNT = 'SELECT count(*)::int AS count FROM messaging.blocked_key';
const FAILURES = 'TRUNCATE messaging.blocked_key, messaging.parked';

/** What the service has written, besides its tables of messages. */
const BOOKS = `
SELECT string_agg(format('%I', tablename), ', ') AS tables FROM pg_tables
WHERE schemaname = 'public' AND tablename <> 'migration'`;

const MESSAGES = `
TRUNCATE messaging.dead_letter, messaging.outcome, messaging.timer, messaging.inbox, messaging.attempt`;

/** As if each subscription began now. */
const BEGIN = `
UPDATE messaging.consumer_progress SET started_at = position, handled = 0, skipped = 0, duplicate = 0, parked = 0, dead = 0`;

/** Gives up what waits for another attempt, after the attempt in progress. @returns how many keys waited */
export async function forgetFailures(database: DataSource): Promise<number> {
  const [{ count }] = (await database.query(COUNT)) as [{ count: number }];
  if (count > 0) await database.query(FAILURES);
  return count;
}

/** Empties a service's books. Nothing may be moving meanwhile. */
export async function emptyBooks(database: DataSource, hasMessages: boolean): Promise<void> {
  const [{ tables }] = (await database.query(BOOKS)) as [{ tables: string }];
  await database.query(`TRUNCATE ${tables}`);
  if (!hasMessages) return;
  await database.query(MESSAGES);
  await database.query(BEGIN);
}
