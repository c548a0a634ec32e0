import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
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
    const dropped = await transport.maintain(inDays(9), 7);
    expect(dropped).toContain(today());
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
    expect(await transport.maintain(inDays(9), 7)).not.toContain(today());
    await subscription.close();
  });
});

function today(): string {
  return `message_${new Date().toISOString().slice(0, 10).replaceAll('-', '')}`;
}
