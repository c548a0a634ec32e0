import { Inject, Injectable, Optional } from '@nestjs/common';
import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type { DataSource } from 'typeorm';
import { BroadcastConsumer } from '../broadcast/broadcast-consumer.js';
import { claimQueue } from '../consumer/claim-queue.js';
import { Consumer } from '../consumer/consumer.js';
import { type Route, type Subscription, topicsOf } from '../consumer/subscription.js';
import { Relay } from '../relay/relay.js';
import { DEFAULT_RETRY } from '../retry/policy.js';
import { Retrier } from '../retry/retrier.js';
import { TimerLoop } from '../timer/timer-loop.js';
import type { Transport, TransportSubscription } from '../transport/transport.js';
import { type HandlerExtras, MESSAGING_SERVER_ID } from './handle.js';
import { MessageContext } from './message-context.js';
import {
  MESSAGE_TRANSPORT,
  MESSAGING_DATABASE,
  MESSAGING_LIMITS,
  MESSAGING_OPTIONS,
  type MessagingOptions,
} from './options.js';

type NestHandler = ((data: unknown, context: MessageContext) => Promise<unknown>) & {
  extras?: Record<string, unknown>;
};

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
    return (this.declared ??= collectSubscriptions(this.messageHandlers as ReadonlyMap<string, NestHandler>));
  }

  /** Starts it when this has started, and stops it while what is in hand is finished. */
  accompany(companion: Companion): void {
    this.companions.push(companion);
  }

  listen(callback: (error?: unknown) => void): void {
    this.start().then(() => callback(), callback);
  }

  /** Stops taking, finishes what is in hand, then sends what the outbox still has. */
  async close(): Promise<void> {
    for (const consumer of this.consumers) consumer.close();
    const companions = this.companions.map(companion => companion.stop());
    await Promise.all([...companions, ...this.running.map(subscription => subscription.close())]);
    this.running = [];
    await this.retrier?.stop();
    await this.timers?.stop();
    await this.relay?.stop();
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
      const maxBatch = Math.max(subscription.batch, MESSAGING_LIMITS.fetch);
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

  private startRetrier(): void {
    const competing = this.subscriptions.filter(({ mode }) => mode === 'competing');
    if (this.database === undefined || competing.length === 0) return;
    const { retryPollMs: pollMs, retryMaxBackoffMs: maxBackoffMs } = MESSAGING_LIMITS;
    this.retrier = new Retrier(this.database, competing, { pollMs, maxBackoffMs });
    this.retrier.start();
  }

  private consumerOf(subscription: Subscription): Consumer | BroadcastConsumer {
    if (subscription.mode === 'broadcast') return new BroadcastConsumer(subscription);
    if (this.database === undefined) {
      throw new Error(
        `${subscription.name} needs a database for its receipts; give MessagingModule.forService one`,
      );
    }
    const consumer = new Consumer(subscription, this.database, MESSAGING_LIMITS.parked);
    this.consumers.push(consumer);
    return consumer;
  }
}

function collectSubscriptions(handlers: ReadonlyMap<string, NestHandler>): Subscription[] {
  const found = new Map<string, { extras: HandlerExtras; routes: Map<string, Route> }>();
  for (const handler of handlers.values()) {
    const extras = handler.extras as unknown as HandlerExtras;
    const entry = found.get(extras.name) ?? { extras, routes: new Map<string, Route>() };
    if (entry.routes.has(extras.definition.type) || 'next' in handler) {
      throw new Error(
        `${extras.name} handles ${extras.definition.type} twice; give one of the two another name`,
      );
    }
    if (entry.extras.broadcast !== extras.broadcast) {
      throw new Error(
        `${extras.name} is a broadcast in one place and competing in another; give them two names`,
      );
    }
    if (entry.extras.batch !== extras.batch || entry.extras.startFrom !== extras.startFrom) {
      throw new Error(
        `${extras.name} has two batch sizes or two beginnings; its handlers share one place in the queue`,
      );
    }
    for (const policy of ['retry', 'alert'] as const) {
      if (JSON.stringify(entry.extras[policy]) !== JSON.stringify(extras[policy]))
        throw new Error(`${extras.name} has two policies of ${policy}; its handlers share one`);
    }
    entry.routes.set(extras.definition.type, toRoute(handler, extras));
    found.set(extras.name, entry);
  }
  return [...found].map(([name, { extras, routes }]) => ({
    name,
    routes,
    mode: extras.broadcast ? 'broadcast' : 'competing',
    startFrom: extras.startFrom ?? 'start',
    batch: extras.batch ?? 1,
    retry: { ...DEFAULT_RETRY, ...extras.retry },
    alert: extras.alert,
  }));
}

function toRoute(handler: NestHandler, extras: HandlerExtras): Route {
  return {
    definition: extras.definition,
    takesBatch: extras.batch !== undefined,
    async invoke(data, delivery) {
      const result = await handler(data, new MessageContext(extras.name, delivery));
      if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
    },
  };
}
