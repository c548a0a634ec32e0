import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { messagingMigrations } from '#messaging';
import { emptyDatabase, Gathered } from '#testkit';
import { PostgresTransport } from '#transport-postgres';
import { catalogDatabase } from '../../apps/catalog/src/catalog.database.js';
import { slugOf } from '../../apps/catalog/src/publish/slug.js';
import { merchantNotifierDatabase } from '../../apps/merchant-notifier/src/merchant-notifier.database.js';
import { notificationDatabase } from '../../apps/notification/src/notification.database.js';
import { orderDatabase } from '../../apps/order/src/order.database.js';
import { pointsDatabase } from '../../apps/points/src/points.database.js';
import { recommendationDatabase } from '../../apps/recommendation/src/recommendation.database.js';
import { sandboxDatabase } from '../../apps/sandbox/src/sandbox.database.js';
import { seckillDatabase } from '../../apps/seckill/src/seckill.database.js';
import { statisticsDatabase } from '../../apps/statistics/src/statistics.database.js';

/** Tables, columns, constraints, indexes and functions: all that two databases of one schema have in common. */
const SCHEMA = `
SELECT 'column' AS kind, table_schema || '.' || table_name || '.' || column_name AS name,
       data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '') AS definition
FROM information_schema.columns WHERE table_schema IN ('public', 'messaging')
UNION ALL
SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace IN ('public'::regnamespace, to_regnamespace('messaging'))
UNION ALL
SELECT 'index', schemaname || '.' || indexname, indexdef
FROM pg_indexes WHERE schemaname IN ('public', 'messaging')
UNION ALL
SELECT 'function', oid::regprocedure::text, prosrc
FROM pg_proc WHERE pronamespace IN ('public'::regnamespace, to_regnamespace('messaging'))
ORDER BY 1, 2`;

type Migrations = DataSourceOptions['migrations'];

/** The schema of the version that has landed, as its own code made it. */
const landed = (name: string) => readFileSync(join('test/upgrade/landed', `${name}.sql`), 'utf8');

/** The same of a service: its own tables come after those of the messaging library, if it has them. */
const landedOf = (name: string, migrations: Migrations) =>
  Array.isArray(migrations) && migrations.includes(messagingMigrations[0]!)
    ? `${landed('messaging')}\n${landed(name)}`
    : landed(name);

const DATABASES: readonly [string, { migrations: Migrations }][] = [
  ['catalog', catalogDatabase],
  ['merchant-notifier', merchantNotifierDatabase],
  ['notification', notificationDatabase],
  ['order', orderDatabase],
  ['points', pointsDatabase],
  ['recommendation', recommendationDatabase],
  ['sandbox', sandboxDatabase],
  ['seckill', seckillDatabase],
  ['statistics', statisticsDatabase],
];

describe('a data directory of the landed version', () => {
  it.each(DATABASES)('has the schema of a new one after its upgrade: %s', async (name, { migrations }) => {
    const [upgraded, fresh] = await Promise.all([emptyDatabase(), emptyDatabase()]);
    await query(upgraded.url, landedOf(name, migrations));
    await migrate(upgraded.url, migrations);
    await migrate(fresh.url, migrations);
    expect(await query(upgraded.url, SCHEMA)).toEqual(await query(fresh.url, SCHEMA));
    await Promise.all([upgraded.drop(), fresh.drop()]);
  });

  it('has its products on sale, and its publications where they were', async () => {
    const upgraded = await emptyDatabase();
    await query(upgraded.url, landedOf('catalog', catalogDatabase.migrations));
    await query(
      upgraded.url,
      `INSERT INTO product (sku, store, title, price_minor, currency) VALUES ('uk.A_1', 'uk', 'Café Lamp, brass', 100, 'GBP');
       INSERT INTO stock (sku, initial, available) VALUES ('uk.A_1', 5, 5);
       INSERT INTO publication (id, store, status) VALUES ('00000000-0000-4000-8000-000000000001', 'uk', 'received');
       INSERT INTO publication_chunk (publication_id, chunk, size, rows, unchanged, done_at) VALUES
         ('00000000-0000-4000-8000-000000000001', 0, 3, NULL, 1, now()),
         ('00000000-0000-4000-8000-000000000001', 1, 1, '[]', 0, NULL);
       INSERT INTO publication_rejection (publication_id, line, reason) VALUES ('00000000-0000-4000-8000-000000000001', 3, 'bad')`,
    );
    await migrate(upgraded.url, catalogDatabase.migrations);
    expect(
      await query(
        upgraded.url,
        'SELECT chunk, steps, rejected, released_at IS NOT NULL AS released FROM publication_chunk ORDER BY chunk',
      ),
    ).toEqual([
      { chunk: 0, steps: 4, rejected: 1, released: true },
      { chunk: 1, steps: 0, rejected: 0, released: true },
    ]);
    expect(
      await query(
        upgraded.url,
        'SELECT slug, search, urls FROM product_page JOIN product_picture USING (sku)',
      ),
    ).toEqual([{ slug: slugOf('Café Lamp, brass', 'A_1'), search: 'café lamp, brass ', urls: null }]);
    await upgraded.drop();
  });

  it('has its queue, and the messages in it', async () => {
    const [upgraded, fresh] = await Promise.all([emptyDatabase(), emptyDatabase()]);
    await query(upgraded.url, landed('log'));
    await query(
      upgraded.url,
      `INSERT INTO topic VALUES ('t', 1); INSERT INTO partition VALUES ('t', 0);
       SELECT append('{t}', '{0}', '{k}', '{"{}"}', '{1}', 'x')`,
    );
    for (const [url, expected] of [
      [upgraded.url, 1],
      [fresh.url, 0],
    ] as const) {
      const transport = new PostgresTransport({ url, instance: 'i' });
      await transport.ensureTopics([{ name: 't', partitions: 1 }]);
      const options = {
        group: 'g',
        topics: ['t'],
        mode: 'competing',
        startFrom: 'start',
        maxBatch: 1,
      } as const;
      const handled = new Gathered<string>();
      await transport.subscribe(options, async ({ messages }) =>
        handled.add(...messages.map(message => message.payload.toString())),
      );
      await handled.count(expected);
      await transport.close();
    }
    const days = (rows: { name: string }[]) => rows.filter(({ name }) => !name.includes('message_'));
    expect(days(await query(upgraded.url, SCHEMA))).toEqual(days(await query(fresh.url, SCHEMA)));
    await Promise.all([upgraded.drop(), fresh.drop()]);
  });
});

async function query<T>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as T[];
  } finally {
    await client.end();
  }
}

async function migrate(url: string, migrations: Migrations): Promise<void> {
  const source = new DataSource({ type: 'postgres', url, migrations, migrationsTableName: 'migration' });
  await source.initialize();
  await source.runMigrations({ transaction: 'each' });
  await source.destroy();
}
