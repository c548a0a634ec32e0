import { DataSource } from 'typeorm';
import {
  claimedChannel,
  Consumer,
  guardConnections,
  handledChannel,
  Retrier,
  type SessionLimits,
  settledChannel,
} from '#messaging';
import { effect, subscribeTo } from './messaging-fixture.js';
import { following } from './following.js';
import { connectTo, type QueueAddress } from './test-queue.js';

/** What a test asks of a consumer that runs in its own process, so that its handler can end it, or it can be frozen. */
export interface DyingOrder {
  readonly database: string;
  readonly queue: QueueAddress;
  /** How the handler of messages with the key `poison` ends its process. */
  readonly death?: Death;
  /** The step of a transaction at which the process stops itself (SIGSTOP), the first time it gets there. */
  readonly freezeAt?: FreezeAt;
  readonly limits?: SessionLimits;
  /** Whether it retries parked messages too. */
  readonly retries: boolean;
}

export type FreezeAt = keyof typeof STEPS;

const STEPS = { claimed: claimedChannel, handled: handledChannel, settled: settledChannel };

export type Death = 'exit' | 'rejection' | 'timer';

const DEATHS: Readonly<Record<Death, () => void>> = {
  exit: () => process.exit(7),
  rejection: () => void Promise.reject(new Error('nobody handles this')),
  timer: () =>
    void setTimeout(() => {
      throw new Error('nobody handles this');
    }),
};

async function work({ database, queue, death, freezeAt, limits, retries }: DyingOrder): Promise<void> {
  const source = new DataSource({ type: 'postgres', url: database });
  await source.initialize();
  guardConnections(source, limits);
  if (freezeAt !== undefined) freezeOnce(freezeAt);
  const subscription = following(async (event, tx) => {
    if (event.key === 'poison' && death !== undefined) {
      DEATHS[death]();
      await new Promise(() => undefined);
    }
    await effect(tx, `${event.key}${event.n}`);
  });
  // The same name each time: what restarts regains its partitions at once.
  await subscribeTo(connectTo(queue, 'worker'), subscription, new Consumer(subscription, source));
  if (retries) new Retrier(source, [subscription], { pollMs: 5, maxBackoffMs: 20 }).start();
}

function freezeOnce(step: FreezeAt): void {
  const freeze = () => {
    STEPS[step].unsubscribe(freeze);
    process.kill(process.pid, 'SIGSTOP');
  };
  STEPS[step].subscribe(freeze);
}

if (process.send !== undefined) {
  process.once('message', order => void work(order as DyingOrder));
  process.once('disconnect', () => process.exit());
}
