import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { following, MessagingFixture } from '#testkit';
import type { PartitionLag, Transport } from '../transport/transport.js';
import { MessagingMonitor } from './messaging-monitor.js';

describe('the state of a subscription', () => {
  let fixture: MessagingFixture;

  beforeEach(async () => {
    fixture = await MessagingFixture.start();
  });

  afterEach(async () => {
    await fixture.stop();
  });

  it('tells of a queue that has less than was settled: it was replaced, or restored', async () => {
    await fixture.database.query(
      `INSERT INTO messaging.consumer_progress (subscription, topic, partition, epoch, started_at, position, handled)
       VALUES ('test.follow', 'test', 0, 1, 0, 10, 10), ('test.follow', 'test', 1, 1, 0, 5, 5)`,
    );
    let head = 10;
    const lag = (partition: number, at: number): PartitionLag => ({
      topic: 'test',
      partition,
      head: at,
      committed: at,
      lag: 0,
      oldestAt: undefined,
      owner: undefined,
    });
    const transport = { lag: async () => [lag(0, head), lag(1, 5)] } as unknown as Transport;
    const declared = following(() => Promise.resolve());
    const monitor = new MessagingMonitor(transport, fixture.database, () => [declared], 'test');
    expect(await monitor.subscriptions(false)).toMatchObject([{ lost: 0 }]);
    head = 3;
    expect(await monitor.subscriptions(false)).toMatchObject([{ lost: 7 }]);
    expect((await monitor.watched()).subscriptions).toMatchObject([{ lost: 7 }]);
  });
});
