import { randomUUID } from 'node:crypto';
import type { AddressInfo, Server } from 'node:net';
import type { INestMicroservice, Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource, type DataSourceOptions } from 'typeorm';
import {
  envelop,
  type EventDefinition,
  type EventOf,
  MessagingMonitor,
  type ReplyOf,
  type RequestDefinition,
  type RequestOf,
  toWire,
  type Transport,
  type WireMessage,
} from '#messaging';
import { RequestClient } from '#requests';
import { migratedDatabase, type TestDatabase } from './database.js';
import { eventually, Gathered } from './gather.js';
import { createNestApp } from './nest-app.js';
import { openTestQueue, type TestQueue } from './test-queue.js';

/** The group that reads what the service publishes. */
const READER = 'harness';

export interface HarnessOptions {
  /** The service's module, as its `main.ts` starts it. */
  readonly module: Type;
  readonly migrations: Exclude<DataSourceOptions['migrations'], undefined>;
  /** Its configuration, given the database that it gets. */
  readonly config: (databaseUrl: string) => unknown;
  /** Events that the test wants to see: those that the service publishes are gathered. */
  readonly publishes?: readonly EventDefinition[];
  /** Prepares its HTTP side, as its `main.ts` does. */
  readonly http?: (app: NestFastifyApplication) => void;
  /** False if it only answers requests. */
  readonly hasMessages?: boolean;
}

/**
 * A service as it runs in the shop, with its own database and queue. The test delivers messages, sends
 * requests and sees what the service publishes.
 */
export class ServiceHarness {
  private readonly wires = new WeakMap<object, WireMessage>();
  private readonly published = new Gathered<WireMessage>();
  private client!: RequestClient;

  private constructor(
    readonly app: NestFastifyApplication,
    private readonly own: TestDatabase,
    private readonly queue: TestQueue,
    private readonly stranger: Transport,
    private readonly transport: Transport,
  ) {}

  static async start({
    module,
    migrations,
    config,
    publishes = [],
    http,
    hasMessages = true,
  }: HarnessOptions): Promise<ServiceHarness> {
    const own = await migratedDatabase(migrations);
    const queue = await openTestQueue();
    const [stranger, transport] = [queue.connect(randomUUID()), queue.connect(randomUUID())];
    const { app, requests } = await createNestApp({
      module,
      config: config(own.url),
      transport,
      instance: randomUUID(),
      http,
      hasMessages,
    });
    const harness = new ServiceHarness(app, own, queue, stranger, transport);
    await harness.listen(publishes, requests);
    return harness;
  }

  get database(): DataSource {
    return this.app.get(DataSource);
  }

  /**
   * Delivers an event to the service, and resolves when it is settled. The same object delivered again is the same
   * message: a copy, as a relay that crashed between send and delete makes it.
   */
  async deliver<D extends EventDefinition>(definition: D, ...events: (EventOf<D> & object)[]): Promise<void> {
    const messages = events.map(event => {
      const wire = this.wires.get(event) ?? toWire(envelop(definition, event), 'test');
      this.wires.set(event, wire);
      return wire;
    });
    await this.stranger.ensureTopics([{ name: definition.topic, partitions: 1 }]);
    await this.stranger.publish(messages);
    await this.settled();
  }

  /** Resolves when the service has settled everything that is in its topics. */
  async settled(): Promise<void> {
    const monitor = this.app.get(MessagingMonitor);
    await eventually(
      () => monitor.state(false),
      ({ outbox, subscriptions }) => outbox === 0 && subscriptions.every(({ lag }) => lag === 0),
    );
  }

  /**
   * Every event of this kind that the service has published, once there are at least `count` and it has nothing left
   * to do: one too many is among them.
   */
  async publishedOf<D extends EventDefinition>(definition: D, count: number): Promise<EventOf<D>[]> {
    const of = (all: readonly WireMessage[]) =>
      all.filter(({ headers }) => headers['ce_type'] === definition.type);
    await this.published.until(all => of(all).length >= count);
    await this.settled();
    await eventually(
      () => this.stranger.lag(READER),
      partitions => partitions.every(({ lag }) => lag === 0),
    );
    return of(this.published.items).map(
      ({ payload }) => definition.schema.parse(JSON.parse(payload.toString())) as EventOf<D>,
    );
  }

  /** Asks the service over TCP, as another service does. */
  async ask<D extends RequestDefinition>(definition: D, request: RequestOf<D>): Promise<ReplyOf<D>> {
    return this.client.ask(definition, request);
  }

  /**
   * Forces an interleaving: holds the rows that `lock` locks, starts each work once the one before it waits
   * for a lock, then releases them all. PostgreSQL serves them in the order in which they came.
   */
  async inOrder<T>(lock: string, values: readonly unknown[], works: readonly (() => Promise<T>)[]) {
    const runner = this.database.createQueryRunner();
    const started: Promise<T>[] = [];
    try {
      await runner.startTransaction();
      await runner.query(lock, [...values]);
      for (const [index, work] of works.entries()) {
        const outcome = work();
        outcome.catch(() => undefined);
        started.push(outcome);
        await eventually(
          () => this.waiting(),
          count => count > index,
        );
      }
      await runner.commitTransaction();
    } finally {
      await runner.release();
    }
    return Promise.allSettled(started);
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.app.close();
    await Promise.all([this.transport.close(), this.stranger.close()]);
    await this.own.drop();
    await this.queue.drop();
  }

  private async listen(publishes: readonly EventDefinition[], requests: INestMicroservice): Promise<void> {
    const topics = [...new Set(publishes.map(({ topic }) => topic))];
    await this.stranger.ensureTopics(topics.map(name => ({ name, partitions: 1 })));
    if (topics.length > 0) {
      const reading = {
        group: READER,
        topics,
        mode: 'competing',
        startFrom: 'start',
        maxBatch: 100,
      } as const;
      await this.stranger.subscribe(reading, async ({ messages }) => this.published.add(...messages));
    }
    await this.app.startAllMicroservices();
    await this.app.init();
    const { port } = requests.unwrap<Server>().address() as AddressInfo;
    this.client = new RequestClient(() => [`127.0.0.1:${port}`]);
  }

  /** Connections to the service's database that wait for a lock. */
  private async waiting(): Promise<number> {
    const [{ count }] = (await this.database.query(
      `SELECT count(*)::int AS count FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )) as [{ count: number }];
    return count;
  }
}
