import type { DataSource } from 'typeorm';

const LOCK = "hashtextextended('sluice.migrate', 0)";

/** Applies the pending migrations. Instances that start together take turns. */
export async function migrate(database: DataSource): Promise<void> {
  const runner = database.createQueryRunner();
  try {
    await runner.query(`SELECT pg_advisory_lock(${LOCK})`);
    try {
      await database.runMigrations({ transaction: 'each' });
    } finally {
      await runner.query(`SELECT pg_advisory_unlock(${LOCK})`);
    }
  } finally {
    await runner.release();
  }
}
