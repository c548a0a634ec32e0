import type { Pool } from 'pg';
import { createLog } from './migrations/0001-create-log.js';

/** The channels of LISTEN and NOTIFY. */
export const APPENDED = 'sluice_appended';
export const REBALANCE = 'sluice_rebalance';

/** In order. A released migration never changes. */
const MIGRATIONS = [createLog];

const CREATE_HISTORY = `
CREATE TABLE IF NOT EXISTS log_migration (
  name       text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT log_migration_pk PRIMARY KEY (name)
)`;

/** A log from before the history was kept already has the first migration. */
const ADOPT = `
INSERT INTO log_migration (name) SELECT $1 WHERE to_regclass('log_identity') IS NOT NULL ON CONFLICT DO NOTHING`;

const MIGRATION_LOCK = 7_583_201_944;

/**
 * Creates the log's tables, or upgrades those of an earlier version. Several processes may call it at once.
 */
export async function migrateLog(pool: Pool): Promise<void> {
  const client = await pool.connect();
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
    client.release();
  }
}
