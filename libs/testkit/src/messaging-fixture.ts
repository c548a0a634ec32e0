import { randomUUID } from 'node:crypto';
import { DataSource, type EntityManager } from 'typeorm';
import {
  type Consumer,
  messagingMigrations,
  Outbox,
  Relay,
  type RelayLimits,
  settledChannel,
  type SettledSignal,
  type Subscription,
  topicsOf,
  type Transport,
} from '#messaging';
import { migratedDatabase, type TestDatabase } from './database.js';
import { Gathered } from './gather.js';
import { openTestQueue, type QueueAddress, type TestQueue } from './test-queue.js';

const RELAY: RelayLimits = {
  batch: 100,
  batchBytes: 1 << 20,
  leaseMs: 2_000,
  pollMs: 20,
  maxBackoffMs: 50,
  vacuumRows: 20,
};

/** A service's database and a queue, with what the library puts between the two. */
export class MessagingFixture {
  readonly settled = new Gathered<SettledSignal>();
  readonly outbox: Outbox;
  private readonly transports: Transport[] = [];
  private readonly relays: Relay[] = [];
  private readonly listen = (signal: unknown): void => this.settled.add(signal as SettledSignal);

  private constructor(
    readonly database: DataSource,
    private readonly own: TestDatabase,
    private readonly queue: TestQueue,
  ) {
    this.outbox = new Outbox({ maxEvents: 100, maxMessageBytes: 10_000 });
    settledChannel.subscribe(this.listen);
  }

  static async start(): Promise<MessagingFixture> {
    const own = await migratedDatabase(messagingMigrations);
    const queue = await openTestQueue();
    const database = new DataSource({ type: 'postgres', url: own.url, poolSize: 10 });
    await database.initialize();
    await database.query('CREATE TABLE effect (id bigint GENERATED ALWAYS AS IDENTITY, what text NOT NULL)');
    return new MessagingFixture(database, own, queue);
  }

  /** What another process needs to work on the same database and queue. */
  get addresses(): { readonly database: string; readonly queue: QueueAddress } {
    return { database: this.own.url, queue: this.queue.address };
  }

  /** Another instance's connection to the queue. */
  transport(instance: string = randomUUID()): Transport {
    const transport = this.queue.connect(instance);
    this.transports.push(transport);
    return transport;
  }

  /** A relay that runs until the end, or until it is stopped. */
  relay(transport: Transport, instance: string = randomUUID(), limits: Partial<RelayLimits> = {}): Relay {
    const relay = new Relay(this.database, transport, 'test', instance, { ...RELAY, ...limits });
    this.relays.push(relay);
    relay.start();
    return relay;
  }

  async subscribe(
    transport: Transport,
    subscription: Subscription,
    consumer: Pick<Consumer, 'handle'>,
  ): Promise<void> {
    await subscribeTo(transport, subscription, consumer);
  }

  /** Resolves when this many messages are settled, whatever became of them. */
  async settle(count: number): Promise<void> {
    const of = ({ handled, skipped, duplicate, dead }: SettledSignal) => handled + skipped + duplicate + dead;
    await this.settled.until(signals => signals.reduce((total, signal) => total + of(signal), 0) >= count);
  }

  async effects(): Promise<string[]> {
    const rows = (await this.database.query('SELECT what FROM effect ORDER BY id')) as { what: string }[];
    return rows.map(row => row.what);
  }

  async stop(): Promise<void> {
    settledChannel.unsubscribe(this.listen);
    await Promise.all(this.transports.map(transport => transport.close()));
    await Promise.all(this.relays.map(relay => relay.stop()));
    await this.database.destroy();
    await this.own.drop();
    await this.queue.drop();
  }
}

export async function subscribeTo(
  transport: Transport,
  subscription: Subscription,
  consumer: Pick<Consumer, 'handle'>,
): Promise<void> {
  await transport.ensureTopics(topicsOf(subscription).map(name => ({ name, partitions: 2 })));
  const { name: group, mode, startFrom } = subscription;
  const options = { group, topics: topicsOf(subscription), mode, startFrom, maxBatch: 100 };
  await transport.subscribe(options, batch => consumer.handle(batch));
}

/** What a handler under test does: one row for each event. */
export async function effect(tx: EntityManager, what: string): Promise<void> {
  await tx.query('INSERT INTO effect (what) VALUES ($1)', [what]);
}
