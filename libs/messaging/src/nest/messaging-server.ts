import { Inject, Injectable, Optional } from '@nestjs/common';
import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { DataSource } from 'typeorm';
import { BroadcastConsumer } from '../consumer/broadcast-consumer.js';
import { claimQueue } from '../consumer/claim-queue.js';
import { Consumer } from '../consumer/consumer.js';
import { type Subscription, topicsOf } from '../consumer/subscription.js';
import { Retrier } from '../consumer/retrier.js';
import { Relay } from '../publisher/relay.js';
import { TimerLoop } from '../publisher/timer-loop.js';
import { WorkSignals } from '../runtime/work-signals.js';
import type { Transport, TransportSubscription } from '../transport/transport.js';
import { declaredSubscriptions, type NestHandler } from './declared-subscriptions.js';
import { MESSAGING_SERVER_ID } from './handle.js';
import {
  MESSAGE_TRANSPORT,
  MESSAGING_DATABASE,
  MESSAGING_OPTIONS,
  type MessagingOptions,
} from './options.js';

/** Messages fetched from a partition at a time, unless the subscription's own batch is larger. */
export const FETCH = 500;

/** What runs as long as messages are delivered. */
interface Companion {
  start(): void;
  stop(): Promise<void>;
}

/** Delivers messages to the controllers' `@Handle` methods, through Nest's pipes, guards, interceptors, filters. */
@Injectable()
export class MessagingServer extends Server implements CustomTransportStrategy {
  override readonly transportId = MESSAGING_SERVER_ID;
  private running: TransportSubscription[] = [];
  private consumers: Consumer[] = [];
  private retrier: Retrier | undefined;
  private readonly companions: Companion[] = [];
  private declared: readonly Subscription[] | undefined;

  constructor(
    @Inject(MESSAGE_TRANSPORT) private readonly transport: Transport,
    @Inject(MESSAGING_OPTIONS) private readonly options: MessagingOptions,
    @Optional() @Inject(MESSAGING_DATABASE) private readonly database?: DataSource,
    @Optional() private readonly relay?: Relay,
    @Optional() private readonly timers?: TimerLoop,
  ) {
    super();
  }

  /** The subscriptions that the app's controllers declare. */
  get subscriptions(): readonly Subscription[] {
    return (this.declared ??= declaredSubscriptions(
      this.messageHandlers as ReadonlyMap<string, NestHandler>,
    ));
  }

  /** Starts the companion after this server, and stops it while the work in progress is finished. */
  accompany(companion: Companion): void {
    this.companions.push(companion);
  }

  listen(callback: (error?: unknown) => void): void {
    this.start().then(() => callback(), callback);
  }

  /** Stops taking messages, finishes the work in progress, then sends what is left in the outbox. */
  async close(): Promise<void> {
    for (const consumer of this.consumers) consumer.close();
    await Promise.all([this.stopCompanions(), ...this.running.map(subscription => subscription.close())]);
    this.running = [];
    await this.retrier?.stop();
    await this.timers?.stop();
    await this.relay?.stop();
    if (this.database === undefined) return;
    // The lease is free for whoever is to send the rest.
    const signals = WorkSignals.of(this.database);
    signals.left('outbox');
    await signals.close();
  }

  on(): void {
    throw new Error('MessagingServer has no client events; listen to the channels in consumer/signals');
  }

  unwrap<T>(): T {
    return this.transport as T;
  }

  private async start(): Promise<void> {
    const { partitions, topics, service } = this.options;
    const names = new Set([...topics, ...this.subscriptions.flatMap(topicsOf)]);
    await this.transport.ensureTopics([...names].map(name => ({ name, partitions })));
    if (this.database !== undefined) await claimQueue(service, this.database, this.transport);
    this.relay?.start();
    this.timers?.start();
    this.startRetrier();
    for (const subscription of this.subscriptions) {
      const handler = this.consumerOf(subscription);
      const { name: group, mode } = subscription;
      const maxBatch = Math.max(subscription.batch, FETCH);
      this.running.push(
        await this.transport.subscribe(
          {
            group,
            topics: topicsOf(subscription),
            mode,
            startFrom: subscription.startFrom,
            maxBatch,
          },
          batch => handler.handle(batch),
        ),
      );
    }
    for (const companion of this.companions) companion.start();
  }

  // The last first: the heartbeat renews the leases of those before it.
  private async stopCompanions(): Promise<void> {
    for (const companion of [...this.companions].reverse()) await companion.stop();
  }

  private startRetrier(): void {
    const competing = this.subscriptions.filter(({ mode }) => mode === 'competing');
    if (this.database === undefined || competing.length === 0) return;
    this.retrier = new Retrier(this.database, competing);
    this.retrier.start();
  }

  private consumerOf(subscription: Subscription): Consumer | BroadcastConsumer {
    if (subscription.mode === 'broadcast') return new BroadcastConsumer(subscription);
    if (this.database === undefined) {
      throw new Error(
        `${subscription.name} needs a database for its receipts; give MessagingModule.forService one`,
      );
    }
    const consumer = new Consumer(subscription, this.database);
    this.consumers.push(consumer);
    return consumer;
  }
}
