import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { LostRange } from '#messaging';
import { emptyDatabase, Gathered, type TestDatabase } from '#testkit';
import { PostgresTransport } from './postgres-transport.js';

const DAY_MS = 86_400_000;

describe('a day past the retention', () => {
  let own: TestDatabase;
  let transport: PostgresTransport;
  let client: pg.Client;
  let today: number;

  beforeEach(async () => {
    own = await emptyDatabase();
    client = new pg.Client({ connectionString: own.url });
    await client.connect();
    transport = new PostgresTransport({ url: own.url, instance: randomUUID() });
    await transport.ensureTopics([{ name: 'test', partitions: 1 }]);
    today = Math.floor(Date.now() / DAY_MS) * DAY_MS + DAY_MS / 2;
    // Makes the days since then.
    await transport.maintain(inDays(-8), 30);
    await publishOnDay(-8, 'past');
    await publishOnDay(-7, 'kept');
  });

  afterEach(async () => {
    await transport.close();
    await client.end();
    await own.drop();
  });

  const inDays = (days: number) => new Date(today + days * DAY_MS);
  const table = (days: number) => `message_${inDays(days).toISOString().slice(0, 10).replaceAll('-', '')}`;
  const maintain = () => transport.maintain(inDays(0));
  const days = async () => {
    const { rows } = await client.query<{ name: string }>(
      "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'message'::regclass",
    );
    return rows.map(({ name }) => name);
  };

  async function publishOnDay(day: number, text: string): Promise<void> {
    await transport.publish([{ topic: 'test', key: 'k', headers: {}, payload: Buffer.from(text) }]);
    await client.query('UPDATE message SET appended_at = $1 WHERE payload = $2', [
      inDays(day),
      Buffer.from(text),
    ]);
  }

  const options = (group: string) =>
    ({ group, topics: ['test'], mode: 'competing', startFrom: 'start', maxBatch: 10 }) as const;

  /** A group that has read nothing, and stopped this long ago. */
  async function stoppedGroup(group: string, ago: string): Promise<void> {
    const refuse = () => Promise.reject(new Error('not yet'));
    await (await transport.subscribe(options(group), refuse)).close();
    await client.query('UPDATE assignment SET active_at = now() - $2::interval WHERE group_name = $1', [
      group,
      ago,
    ]);
  }

  async function read(group: string, through = transport) {
    const [received, lost] = [new Gathered<string>(), new Gathered<LostRange>()];
    const subscription = await through.subscribe(options(group), async batch => {
      lost.add(...(batch.lost ?? []));
      received.add(...batch.messages.map(message => message.payload.toString()));
    });
    return { received, lost, subscription };
  }

  it('is dropped when the groups are past it; a younger day stays, read or not', async () => {
    const { received, subscription } = await read('g');
    await received.count(2);
    await subscription.close();
    expect(await maintain()).toEqual({ dropped: [table(-8)], busy: [] });
    expect(await days()).toContain(table(-7));
    expect(await (await read('new')).received.count(1)).toEqual(['kept']);
  });

  it('is dropped although a group has not read it that nobody has read for 14 days', async () => {
    await stoppedGroup('abandoned', '14 days 1 minute');
    expect(await maintain()).toEqual({ dropped: [table(-8)], busy: [] });
  });

  it('is kept for a group that has not read it and was active within 14 days', async () => {
    await stoppedGroup('slow', '13 days 23 hours');
    expect(await maintain()).toEqual({ dropped: [], busy: [] });
    expect(await (await read('slow')).received.count(2)).toEqual(['past', 'kept']);
  });

  it('is kept for an active group, though another is abandoned', async () => {
    await stoppedGroup('abandoned', '30 days');
    await stoppedGroup('slow', '1 day');
    expect(await maintain()).toEqual({ dropped: [], busy: [] });
  });

  it('is kept for a group that was abandoned and is back', async () => {
    await stoppedGroup('back', '30 days');
    const subscription = await transport.subscribe(options('back'), () =>
      Promise.reject(new Error('not yet')),
    );
    expect(await maintain()).toEqual({ dropped: [], busy: [] });
    await subscription.close();
  });

  it('is not dropped by a start, when no group could show yet that it is active', async () => {
    await stoppedGroup('g', '30 days');
    const started = new PostgresTransport({ url: own.url, instance: randomUUID() });
    await started.ensureTopics([]);
    // Waits for a run of retention that has begun.
    await started.close();
    expect(await days()).toContain(table(-8));
    expect(await (await read('g')).received.count(2)).toEqual(['past', 'kept']);
  });

  it('is told as lost to a group that comes back after it was dropped', async () => {
    await stoppedGroup('late', '15 days');
    await maintain();
    const { received, lost } = await read('late');
    expect(await received.count(1)).toEqual(['kept']);
    expect(lost.items).toEqual([{ from: 1, to: 1 }]);
  });
});
