import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { emptyDatabase, Gathered, SilentProxy, type TestDatabase } from '#testkit';
import { PostgresTransport } from './postgres-transport.js';

describe('connections to the log that silently die', () => {
  let own: TestDatabase;
  let proxy: SilentProxy;
  let far: PostgresTransport;
  let near: PostgresTransport;

  beforeEach(async () => {
    own = await emptyDatabase();
    const url = new URL(own.url);
    proxy = await SilentProxy.start(Number(url.port));
    url.port = String(proxy.port);
    far = new PostgresTransport({ url: url.href, instance: randomUUID() });
    near = new PostgresTransport({ url: own.url, instance: randomUUID() });
    await near.ensureTopics([{ name: 'test', partitions: 2 }]);
  });

  afterEach(async () => {
    await Promise.all([far.close(), near.close()]);
    await proxy.stop();
    await own.drop();
  });

  it('are replaced: the subscription has its partitions again, hears and commits', async () => {
    const received = new Gathered<string>();
    await far.subscribe(
      { group: 'g', topics: ['test'], mode: 'competing', startFrom: 'start', maxBatch: 10 },
      async ({ messages }) => received.add(...messages.map(message => message.payload.toString())),
    );
    const publish = (payload: string) =>
      near.publish(
        ['a', 'b', 'c'].map(key => ({ topic: 'test', key, headers: {}, payload: Buffer.from(payload) })),
      );
    await publish('before');
    await received.count(3);
    expect(proxy.swallow()).toBeGreaterThan(1);
    await publish('after');
    await received.until(items => items.filter(item => item === 'after').length === 3);
    await far.publish([{ topic: 'test', key: 'd', headers: {}, payload: Buffer.from('last') }]);
    await received.until(items => items.includes('last'));
  });
});
