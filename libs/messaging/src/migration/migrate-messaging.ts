import type { DataSource } from 'typeorm';
import { messagingMigrations } from './messaging-migrations.js';

const LOCK = "hashtextextended('sluice.messaging.migrate', 0)";

const CREATE_HISTORY = `
CREATE TABLE IF NOT EXISTS messaging_migration (
  name       text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT messaging_migration_pk PRIMARY KEY (name)
)`;

/**
 * Creates the library's tables in an app's database, or upgrades those of an earlier version, next to the
 * app's own migrations. Each step is one transaction; instances that start together take turns.
 */
export async function migrateMessaging(database: DataSource): Promise<void> {
  const runner = database.createQueryRunner();
  try {
    await runner.query(`SELECT pg_advisory_lock(${LOCK})`);
    try {
      await runner.query(CREATE_HISTORY);
      const rows = (await runner.query('SELECT name FROM messaging_migration')) as { name: string }[];
      const applied = new Set(rows.map(({ name }) => name));
      for (const Migration of messagingMigrations) {
        const migration = new Migration();
        if (applied.has(migration.name)) continue;
        await runner.startTransaction();
        try {
          await migration.up(runner);
          await runner.query('INSERT INTO messaging_migration (name) VALUES ($1)', [migration.name]);
          await runner.commitTransaction();
        } catch (error) {
          await runner.rollbackTransaction().catch(() => undefined);
          throw error;
        }
      }
    } finally {
      await runner.query(`SELECT pg_advisory_unlock(${LOCK})`);
    }
  } finally {
    await runner.release();
  }
}
