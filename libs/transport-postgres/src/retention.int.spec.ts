import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { LostRange } from '#messaging';
import { emptyDatabase, Gathered, type TestDatabase } from '#testkit';
import { PostgresTransport } from './postgres-transport.js';

const DAY_MS = 86_400_000;

describe('retention', () => {
  let own: TestDatabase;
  let transport: PostgresTransport;

  beforeEach(async () => {
    own = await emptyDatabase();
    transport = new PostgresTransport({ url: own.url, instance: randomUUID() });
    await transport.ensureTopics([{ name: 'test', partitions: 1 }]);
    await transport.publish([{ topic: 'test', key: 'k', headers: {}, payload: Buffer.from('old') }]);
  });

  afterEach(async () => {
    await transport.close();
    await own.drop();
  });

  const inDays = (days: number) => new Date(Date.now() + days * DAY_MS);

  it('drops a day that is past its time, and keeps the days to come ready', async () => {
    const { dropped } = await transport.maintain(inDays(9), 7);
    expect(dropped).toContain(dayTable(0));
    await transport.publish([{ topic: 'test', key: 'k', headers: {}, payload: Buffer.from('new') }]);
    const received = new Gathered<string>();
    await transport.subscribe(
      { group: 'g', topics: ['test'], mode: 'competing', startFrom: 'start', maxBatch: 10 },
      async ({ messages }) => received.add(...messages.map(message => message.payload.toString())),
    );
    expect(await received.count(1)).toEqual(['new']);
  });

  it('keeps a day that a living group has not read yet', async () => {
    const subscription = await transport.subscribe(
      { group: 'slow', topics: ['test'], mode: 'competing', startFrom: 'start', maxBatch: 10 },
      () => Promise.reject(new Error('not yet')),
    );
    expect((await transport.maintain(inDays(9), 7)).dropped).not.toContain(dayTable(0));
    await subscription.close();
  });

  it('keeps nobody waiting while a backup reads the queue: not those who publish, read or start', async () => {
    // Days to drop, today, and days to come.
    await transport.maintain(inDays(-3), 7);
    const backup = new pg.Client({ connectionString: own.url });
    await backup.connect();
    await backup.query('BEGIN');
    const { rows: tables } = await backup.query<{ name: string }>(
      "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace",
    );
    for (const { name } of tables) await backup.query(`LOCK TABLE ${name} IN ACCESS SHARE MODE`);
    const received = new Gathered<string>();
    await transport.subscribe(
      { group: 'g', topics: ['test'], mode: 'competing', startFrom: 'start', maxBatch: 10 },
      async ({ messages }) => received.add(...messages.map(message => message.payload.toString())),
    );

    let maintained = false;
    const maintaining = transport.maintain(inDays(2), 3).finally(() => (maintained = true));
    for (let n = 0; !maintained; n += 1) {
      await transport.publish([{ topic: 'test', key: 'k', headers: {}, payload: Buffer.from(`more ${n}`) }]);
      await received.until(items => items.at(-1) === `more ${n}`);
    }
    expect(await maintaining).toEqual({ dropped: [], busy: [dayTable(-3)] });
    const other = new PostgresTransport({ url: own.url, instance: randomUUID() });
    await other.ensureTopics([{ name: 'test', partitions: 1 }]);
    await other.close();

    await backup.query('COMMIT');
    await backup.end();
    expect(await transport.maintain(inDays(2), 3)).toEqual({
      dropped: [dayTable(-3), dayTable(-2)],
      busy: [],
    });
    await transport.publish([{ topic: 'test', key: 'k', headers: {}, payload: Buffer.from('last') }]);
    await received.until(items => items.at(-1) === 'last');
  });

  it('is the only thing that may take a message away: any other that is missing is told as lost', async () => {
    await transport.publish(
      ['2', '3', '4', '5'].map(text => ({
        topic: 'test',
        key: 'k',
        headers: {},
        payload: Buffer.from(text),
      })),
    );
    const client = new pg.Client({ connectionString: own.url });
    await client.connect();
    await client.query('DELETE FROM message WHERE position IN (1, 3, 4)');
    await client.end();
    const lost = new Gathered<LostRange>();
    const received = new Gathered<string>();
    await transport.subscribe(
      { group: 'g', topics: ['test'], mode: 'competing', startFrom: 'start', maxBatch: 10 },
      async batch => {
        lost.add(...(batch.lost ?? []));
        received.add(...batch.messages.map(message => message.payload.toString()));
      },
    );
    expect(await received.count(2)).toEqual(['2', '5']);
    expect(lost.items).toEqual([
      { from: 1, to: 1 },
      { from: 3, to: 4 },
    ]);
  });

  it('makes a day that is missing when a message of that day comes', async () => {
    const client = new pg.Client({ connectionString: own.url });
    await client.connect();
    await client.query(`DROP TABLE ${dayTable(0)}`);
    await transport.publish([{ topic: 'test', key: 'k', headers: {}, payload: Buffer.from('new') }]);
    const { rows } = await client.query<{ table: string }>(
      'SELECT tableoid::regclass::text AS table FROM message',
    );
    expect(rows).toEqual([{ table: dayTable(0) }]);
    await client.end();
  });
});

function dayTable(inDays: number): string {
  return `message_${new Date(Date.now() + inDays * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '')}`;
}
