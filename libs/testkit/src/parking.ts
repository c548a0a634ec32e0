import { afterEach, beforeEach } from '@jest/globals';
import type { EntityManager } from 'typeorm';
import {
  Consumer,
  DeadLetters,
  envelop,
  Header,
  Retrier,
  type Subscription,
  toWire,
  type Transport,
} from '#messaging';
import { type Event, following, Happened, SOON } from './following.js';
import { eventually } from './gather.js';
import { effect, MessagingFixture } from './messaging-fixture.js';

/** A subscription whose handler can be made to fail, and the retriers of its parked messages. */
export class Parking {
  fixture!: MessagingFixture;
  transport!: Transport;
  letters!: DeadLetters;
  /** What the handler does; by default it leaves one row for each event. */
  handle!: (event: Event, tx: EntityManager) => Promise<void>;
  /** How long the handler may take, in ms. */
  timeoutMs: number | undefined;
  private retriers: Retrier[] = [];
  private sequence = 0;

  async start(): Promise<void> {
    this.fixture = await MessagingFixture.start();
    this.transport = this.fixture.transport();
    this.letters = new DeadLetters(this.fixture.database);
    this.handle = this.recording;
    await this.transport.ensureTopics([{ name: 'test', partitions: 1 }]);
  }

  async stop(): Promise<void> {
    await Promise.all(this.retriers.splice(0).map(retrier => retrier.stop()));
    await this.fixture.stop();
  }

  readonly recording = (event: Event, tx: EntityManager) => effect(tx, `${event.key}${event.n}`);

  readonly consume = async (retry = SOON, maxParked = Infinity): Promise<Subscription> => {
    const declared = {
      ...following((event, tx) => this.handle(event, tx), retry),
      timeoutMs: this.timeoutMs,
    };
    const consumer = new Consumer(declared, this.fixture.database, { parked: maxParked });
    await this.fixture.subscribe(this.transport, declared, consumer);
    return declared;
  };

  readonly retry = (declared: Subscription): Retrier => {
    const retrier = new Retrier(this.fixture.database, [declared], { pollMs: 5, maxBackoffMs: 20 });
    this.retriers.push(retrier);
    retrier.start();
    return retrier;
  };

  readonly publish = (...events: Event[]) => this.publishOn(this.transport, ...events);

  readonly publishOn = (through: Transport, ...events: Event[]) =>
    through.publish(
      events.map(event => {
        const { headers, ...message } = toWire(envelop(Happened, event), 'test');
        return { ...message, headers: { ...headers, [Header.sequence]: String((this.sequence += 1)) } };
      }),
    );

  /** Resolves when the counts of the subscription are as expected. */
  readonly progressIs = (expected: Record<string, number>) =>
    eventually(
      () => this.progress(),
      row => JSON.stringify(row) === JSON.stringify(expected),
    );

  readonly dead = () => this.letters.list({ limit: 10, status: 'dead' });

  private async progress(): Promise<Record<string, number>> {
    const [row] = (await this.fixture.database.query(
      'SELECT handled::int, parked::int, dead::int, discarded::int FROM messaging.progress',
    )) as [Record<string, number>];
    return row;
  }
}

/** A new one for each test. */
export function useParking(): Parking {
  const parking = new Parking();
  beforeEach(() => parking.start());
  afterEach(() => parking.stop());
  return parking;
}
