import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { DataSource, type DataSourceOptions, type MixedList } from 'typeorm';

/** Where jest's global setup leaves the address of the shared server. */
export const TEST_SERVER = 'SLUICE_TEST_POSTGRES';

type Migrations = Exclude<DataSourceOptions['migrations'], undefined>;

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** An empty database for one test. */
export async function emptyDatabase(): Promise<TestDatabase> {
  return createFrom('template1');
}

/**
 * A database with the migrations applied, cloned from a template that the first caller creates. So each test
 * file has its own database for the price of copying files.
 */
export async function migratedDatabase(migrations: Migrations): Promise<TestDatabase> {
  const names = (migrations as MixedList<unknown> as { name: string }[]).map(each => each.name);
  const template = `template_${createHash('sha1').update(names.join()).digest('hex').slice(0, 16)}`;
  await administer(async client => {
    await client.query('SELECT pg_advisory_lock(hashtext($1))', [template]);
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [
      `${template}_ready`,
    ]);
    if (rowCount === 0) {
      await client.query(`DROP DATABASE IF EXISTS ${template}`);
      await client.query(`CREATE DATABASE ${template}`);
      const source = new DataSource({
        type: 'postgres',
        url: urlOf(template),
        migrations,
        migrationsTableName: 'migration',
      });
      await source.initialize();
      await source.runMigrations();
      await source.destroy();
      await client.query(`ALTER DATABASE ${template} RENAME TO ${template}_ready`);
    }
  });
  return createFrom(`${template}_ready`);
}

async function createFrom(template: string): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await administer(async client => {
    // One clone at a time: PostgreSQL refuses to copy a template that another copy is reading.
    await client.query('SELECT pg_advisory_lock(7)');
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`);
  });
  return {
    url: urlOf(name),
    drop: () =>
      administer(async client => void (await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))),
  };
}

async function administer(work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf('postgres') });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

function urlOf(database: string): string {
  const server = process.env[TEST_SERVER];
  if (server === undefined) throw new Error(`${TEST_SERVER} is not set; run the tests with npm test`);
  return `${server}/${database}`;
}
