import pg from 'pg';
import { codeOf, retryUntil } from '#messaging';
import { createLog } from './migrations/0001-create-log.js';
import { boundedVersions } from './migrations/0003-bounded-versions.js';
import { daysWithoutDefault } from './migrations/0002-days-without-default.js';

/** The channels of LISTEN and NOTIFY. */
export const APPENDED = 'sluice_appended';
export const REBALANCE = 'sluice_rebalance';

/** In order. A released migration never changes. */
const MIGRATIONS = [createLog, daysWithoutDefault, boundedVersions];

const CREATE_HISTORY = `
CREATE TABLE IF NOT EXISTS log_migration (
  name       text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT log_migration_pk PRIMARY KEY (name)
)`;

/** A log from before the history was kept already has the first migration. */
const ADOPT = `
INSERT INTO log_migration (name) SELECT $1 WHERE to_regclass('log_identity') IS NOT NULL ON CONFLICT DO NOTHING`;

/** SQLSTATE of a statement that met a lock and was not to wait for it. */
export const LOCK_NOT_AVAILABLE = '55P03';

const MIGRATION_LOCK = 7_583_201_944;

/** How long an upgrade that must lock the queue tries to. */
const UPGRADE = { backoff: { firstMs: 200, longestMs: 2_000 }, forMs: 60_000 };

/** Somebody, such as a backup, reads the queue all the time. */
export class QueueInUse extends Error {
  readonly code = 'queue_in_use';
  constructor(cause: unknown) {
    super('the queue cannot be upgraded while something reads it, such as a backup; start again afterwards', {
      cause,
    });
  }
}

/**
 * Creates the log's tables, or upgrades those of an earlier version. Several processes may call it at once.
 * @throws QueueInUse
 */
export async function migrateLog(url: string): Promise<void> {
  const isLocked = (error: unknown) => codeOf(error) === LOCK_NOT_AVAILABLE;
  await retryUntil(() => migrate(url), { ...UPGRADE, isTransient: isLocked }).catch((error: unknown) => {
    throw isLocked(error) ? new QueueInUse(error) : error;
  });
}

async function migrate(url: string): Promise<void> {
  // A connection of its own, without the limits of the others: an upgrade may take its time.
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await client.query(CREATE_HISTORY);
    await client.query(ADOPT, [createLog.name]);
    const { rows } = await client.query<{ name: string }>('SELECT name FROM log_migration');
    const applied = new Set(rows.map(({ name }) => name));
    for (const { name, sql } of MIGRATIONS) {
      if (applied.has(name)) continue;
      await client.query(sql);
      await client.query('INSERT INTO log_migration (name) VALUES ($1)', [name]);
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    await client.end();
  }
}
