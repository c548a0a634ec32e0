import { DataSource } from 'typeorm';
import { Consumer, Retrier } from '#messaging';
import { effect, subscribeTo } from './messaging-fixture.js';
import { following } from './following.js';
import { connectTo, type QueueAddress } from './test-queue.js';

/** What a test asks of a consumer that runs in its own process, so that its handler can end it. */
export interface DyingOrder {
  readonly database: string;
  readonly queue: QueueAddress;
  /** How the handler of messages with the key `poison` ends its process. */
  readonly death: Death;
  /** Whether it retries parked messages too. */
  readonly retries: boolean;
}

export type Death = 'exit' | 'rejection' | 'timer';

const DEATHS: Readonly<Record<Death, () => void>> = {
  exit: () => process.exit(7),
  rejection: () => void Promise.reject(new Error('nobody handles this')),
  timer: () =>
    void setTimeout(() => {
      throw new Error('nobody handles this');
    }),
};

async function work({ database, queue, death, retries }: DyingOrder): Promise<void> {
  const source = new DataSource({ type: 'postgres', url: database });
  await source.initialize();
  const subscription = following(async (event, tx) => {
    if (event.key === 'poison') {
      DEATHS[death]();
      await new Promise(() => undefined);
    }
    await effect(tx, `${event.key}${event.n}`);
  });
  // The same name each time: what restarts regains its partitions at once.
  await subscribeTo(connectTo(queue, 'worker'), subscription, new Consumer(subscription, source));
  if (retries) new Retrier(source, [subscription], { pollMs: 5, maxBackoffMs: 20 }).start();
}

if (process.send !== undefined) {
  process.once('message', order => void work(order as DyingOrder));
  process.once('disconnect', () => process.exit());
}
