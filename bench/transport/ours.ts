import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { DataSource, type EntityManager } from 'typeorm';
import { OrderPaid } from '#contracts';
import {
  Consumer,
  DEFAULT_RETRY,
  FETCH,
  messagingMigrations,
  Outbox,
  Relay,
  settledChannel,
  type SettledSignal,
  type Subscription,
  type Transport,
} from '#messaging';
import { CREATE_EFFECTS, INSERT_EFFECTS } from './effects.js';
import { anEvent } from './events.js';
import { type Measured, Stopwatch } from './measured.js';

export interface OursOptions {
  /** A database of its own. */
  readonly databaseUrl: string;
  /** Opens the transport as an instance of that name. */
  readonly open: (instance: string) => Transport;
  readonly payloadBytes: number;
  readonly partitions: number;
}

const NAME = 'bench.follow-order';
const PUBLISHED_AT_ONCE = 1_000;

/** Outbox, relay, transport, inbox and a batch handler, as a service of the shop has them. */
export class Ours {
  private readonly database: DataSource;
  private readonly outbox: Outbox;
  private readonly transport: Transport;
  /** Called with handled events during a measurement. */
  private arrivals: ((events: readonly OrderPaid[]) => void) | undefined;

  private constructor(private readonly options: OursOptions) {
    const { databaseUrl: url } = options;
    this.database = new DataSource({
      type: 'postgres',
      url,
      poolSize: 8,
      migrations: messagingMigrations,
      migrationsTableName: 'migration',
    });
    this.transport = options.open(randomUUID());
    const { maxMessageBytes } = this.transport.capabilities;
    this.outbox = new Outbox({ maxEvents: 5_000, maxMessageBytes });
  }

  static async start(options: OursOptions): Promise<Ours> {
    const ours = new Ours(options);
    await ours.database.initialize();
    await ours.database.runMigrations();
    await ours.database.query(CREATE_EFFECTS);
    await ours.transport.ensureTopics([{ name: OrderPaid.topic, partitions: options.partitions }]);
    return ours;
  }

  async stop(): Promise<void> {
    await this.transport.close();
    await this.database.destroy();
  }

  /** Messages per second from a full outbox to the queue. */
  async measureRelay(messages: number): Promise<Measured> {
    for (let done = 0; done < messages; done += PUBLISHED_AT_ONCE) {
      const events = Array.from({ length: PUBLISHED_AT_ONCE }, (_, n) =>
        anEvent(done + n, this.options.payloadBytes),
      );
      await this.database.transaction(tx => this.outbox.publish(tx, OrderPaid, events));
    }
    await this.database.query('VACUUM ANALYZE messaging.outbox');
    const relay = this.relay();
    const stopwatch = new Stopwatch();
    relay.start();
    // It stops when the outbox is empty.
    await relay.stop();
    return stopwatch.stop(messages);
  }

  /** Messages per second from a full queue to the last commit of a batch handler. */
  async measureHandler(messages: number): Promise<Measured> {
    const stopwatch = new Stopwatch();
    await this.handle(messages);
    return stopwatch.stop(messages);
  }

  /** Publishes this many events per second, each in its own transaction and with the time when that began. */
  async publishSteadily(perSecond: number, seconds: number): Promise<void> {
    const relay = this.relay();
    relay.start();
    const total = perSecond * seconds;
    const startedAt = performance.now();
    const publishing: Promise<void>[] = [];
    for (let n = 0; n < total; n += 1) {
      const wait = startedAt + (n * 1_000) / perSecond - performance.now();
      if (wait > 1) await setTimeout(wait);
      const event = anEvent(n, this.options.payloadBytes);
      const published = this.database.transaction(tx => this.outbox.publish(tx, OrderPaid, event));
      publishing.push(published.then(() => relay.wake()));
    }
    await Promise.all(publishing);
    await relay.stop();
  }

  /**
   * How long each event took from the beginning of its publishing transaction to its effect, in ms, sorted.
   * @param leftOut how many of the first events do not count, because code is still being compiled
   */
  async measureArrivals(messages: number, leftOut: number, ready: () => void): Promise<number[]> {
    const latencies: number[] = [];
    this.arrivals = events => {
      const now = performance.timeOrigin + performance.now();
      for (const { paidAt } of events) latencies.push(now - Date.parse(paidAt));
    };
    await this.handle(messages, ready);
    return latencies.slice(leftOut).sort((a, b) => a - b);
  }

  private relay(): Relay {
    return new Relay(this.database, this.transport, 'bench', randomUUID());
  }

  /** Resolves when this many more messages have had their effect. */
  private async handle(messages: number, ready: () => void = () => undefined): Promise<void> {
    const subscription: Subscription = {
      name: NAME,
      routes: new Map([
        [
          OrderPaid.type,
          {
            definition: OrderPaid,
            takesBatch: true,
            invoke: (events, { tx }) => this.effect(events as readonly OrderPaid[], tx!),
          },
        ],
      ]),
      mode: 'competing',
      startFrom: 'start',
      batch: FETCH,
      retry: DEFAULT_RETRY,
    };
    const consumer = new Consumer(subscription, this.database);
    let left = messages;
    const done = Promise.withResolvers<void>();
    const listen = (signal: unknown) => {
      left -= (signal as SettledSignal).handled;
      if (left <= 0) done.resolve();
    };
    settledChannel.subscribe(listen);
    const running = await this.transport.subscribe(
      {
        group: NAME,
        topics: [OrderPaid.topic],
        mode: 'competing',
        startFrom: 'start',
        maxBatch: FETCH,
      },
      batch => consumer.handle(batch),
    );
    ready();
    await done.promise;
    settledChannel.unsubscribe(listen);
    void running.close();
  }

  private async effect(events: readonly OrderPaid[], tx: EntityManager): Promise<void> {
    await tx.query(INSERT_EFFECTS, [
      events.map(event => event.orderId),
      events.map(event => event.buyerId),
      events.map(event => event.totalMinor),
    ]);
    this.arrivals?.(events);
  }
}
