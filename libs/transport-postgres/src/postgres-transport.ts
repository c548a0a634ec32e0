import { Logger } from '@nestjs/common';
import pg from 'pg';
import {
  BackgroundTask,
  type BoundedClient,
  limitSession,
  Listener,
  type ListeningClient,
  codeOf,
  retryUntil,
  type BatchHandler,
  type PartitionLag,
  type SubscribeOptions,
  type TopicSpec,
  type Transport,
  type TransportCapabilities,
  type TransportSubscription,
  type WireMessage,
} from '#messaging';
import { BroadcastSubscription, OwnPositions } from './broadcast-subscription.js';
import { GroupSubscription, LeasedPositions } from './group-subscription.js';
import { LIMITS, PACE, SESSION } from './limits.js';
import { Heartbeats } from './heartbeats.js';
import { SequencedLog } from './log.js';
import { Membership } from './membership.js';
import { Reader } from './reader.js';
import type { Retained } from './retained.js';
import { Retention } from './retention.js';
import { APPENDED, migrateLog, REBALANCE } from './schema.js';

export interface PostgresTransportOptions {
  /** The log's database. */
  readonly url: string;
  /**
   * A name that no other running instance has. A restart under the same name regains its partitions at once.
   */
  readonly instance: string;
  /** How long a silent instance keeps its partitions, in ms. */
  readonly leaseMs?: number;
}

/** SQLSTATE of a row that no partition of its table takes. */
const NO_SUCH_DAY = '23514';

/** How long a start tries to make the days to come. */
const PREPARE = { backoff: { firstMs: 50, longestMs: 500 }, forMs: 30_000 };

const limit = (client: pg.ClientBase) => limitSession(client as unknown as BoundedClient, SESSION);

/** A subscription of this process, and what wakes it. */
interface Running {
  readonly subscription: GroupSubscription | BroadcastSubscription;
  readonly group: string;
  readonly topics: readonly string[];
}

/** A sequenced log on PostgreSQL behind the transport port. */
export class PostgresTransport implements Transport {
  readonly capabilities: TransportCapabilities = { maxMessageBytes: LIMITS.maxMessageBytes };

  private readonly logger = new Logger(PostgresTransport.name);
  private readonly pool: pg.Pool;
  private readonly leaseMs: number;
  private readonly listener: Listener;
  private readonly heartbeats: Heartbeats;
  private readonly log: SequencedLog;
  private readonly retention: Retention;
  private readonly running = new Set<Running>();
  private opening: Promise<void> | undefined;
  private closing: Promise<void> | undefined;
  private maintenance: BackgroundTask | undefined;

  constructor(private readonly options: PostgresTransportOptions) {
    this.pool = new pg.Pool({
      connectionString: options.url,
      max: LIMITS.connections,
      idleTimeoutMillis: 120_000,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      // It is waited for; only its type does not say so.
      onConnect: limit as (client: pg.ClientBase) => void,
    });
    // An idle connection that breaks is replaced at the next query. Without this handler it would end the
    // process.
    this.pool.on('error', error => this.logger.warn(`lost an idle connection: ${error.message}`));
    const listening = { connectionString: options.url, keepAlive: true };
    this.listener = new Listener(() => new pg.Client(listening) as unknown as ListeningClient, SESSION);
    this.leaseMs = options.leaseMs ?? LIMITS.leaseMs;
    this.heartbeats = new Heartbeats(this.pool, options.instance, this.leaseMs);
    this.log = new SequencedLog(this.pool, LIMITS.maxMessageBytes);
    this.retention = new Retention(this.pool);
  }

  async ensureTopics(topics: readonly TopicSpec[]): Promise<void> {
    await this.open();
    await this.log.ensureTopics(topics);
  }

  async identity(): Promise<string> {
    await this.open();
    return `postgres ${await this.log.identity()}`;
  }

  async publish(messages: readonly WireMessage[]): Promise<void> {
    await this.open();
    try {
      await this.log.append(messages);
    } catch (error) {
      if (codeOf(error) !== NO_SUCH_DAY) throw error;
      // The server's clock has moved on further than days were made for.
      await this.retention.prepare();
      await this.log.append(messages);
    }
  }

  async subscribe(options: SubscribeOptions, handler: BatchHandler): Promise<TransportSubscription> {
    await this.open();
    await this.log.know(options.topics);
    return options.mode === 'broadcast' ? this.broadcast(options, handler) : this.compete(options, handler);
  }

  async lag(group: string): Promise<readonly PartitionLag[]> {
    await this.open();
    return this.log.lag(group);
  }

  async check(): Promise<void> {
    await this.pool.query('SELECT 1');
  }

  /** Runs retention. @param now for tests; the server's clock decides */
  async maintain(now?: Date, keepDays?: number): Promise<Retained> {
    await this.open();
    return this.retention.maintain(now, keepDays);
  }

  close(): Promise<void> {
    return (this.closing ??= this.shutDown());
  }

  private async shutDown(): Promise<void> {
    await this.maintenance?.stop();
    await Promise.all([...this.running].map(({ subscription }) => subscription.close()));
    await this.heartbeats.stop();
    await this.listener.close();
    await this.pool.end();
  }

  private async compete(options: SubscribeOptions, handler: BatchHandler): Promise<TransportSubscription> {
    const { group, topics } = options;
    const membership = new Membership(this.pool, group, topics, this.options.instance, this.leaseMs);
    const positions = new LeasedPositions(membership);
    const reader = this.reader(options, positions, handler);
    const forget = () => this.running.delete(entry);
    const subscription = new GroupSubscription(membership, positions, reader, this.heartbeats, forget);
    const entry: Running = { subscription, topics, group };
    await membership.join(options.startFrom);
    this.running.add(entry);
    await subscription.start();
    return subscription;
  }

  private async broadcast(options: SubscribeOptions, handler: BatchHandler): Promise<TransportSubscription> {
    const { group, topics } = options;
    const heads = await this.log.heads(topics);
    const positions = new OwnPositions(heads.map(head => ({ ...head, epoch: 0 })));
    const reader = this.reader(options, positions, handler);
    const subscription = new BroadcastSubscription(reader, () => this.running.delete(entry));
    const entry: Running = { subscription, topics, group };
    this.running.add(entry);
    subscription.start();
    return subscription;
  }

  private reader(
    { group, maxBatch, maxBatchBytes }: SubscribeOptions,
    positions: OwnPositions | LeasedPositions,
    handler: BatchHandler,
  ): Reader {
    return new Reader(group, this.log, positions, handler, maxBatch, maxBatchBytes ?? LIMITS.maxBatchBytes);
  }

  private open(): Promise<void> {
    // A failed start is not remembered: the next call tries again.
    this.opening ??= this.start().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  private async start(): Promise<void> {
    await migrateLog(this.options.url);
    await retryUntil(() => this.retention.prepare(), PREPARE);
    this.listener.on(APPENDED, payload => {
      const appended = payload.split(' ');
      for (const each of this.running) {
        if (payload === '' || each.topics.some(topic => appended.includes(topic))) each.subscription.wake();
      }
    });
    this.listener.on(REBALANCE, group => {
      for (const each of this.running)
        if (group === '' || each.group === group) each.subscription.rebalance();
    });
    await this.listener.open();
    this.maintenance = this.retain();
    this.maintenance.start();
  }

  private retain(): BackgroundTask {
    const turn = async () => {
      const { busy } = await this.retention.maintain();
      return busy.length > 0 ? PACE.busyRetentionMs : PACE.retentionMs;
    };
    return new BackgroundTask(turn, {
      firstAfterMs: PACE.retentionMs,
      backoff: { firstMs: PACE.busyRetentionMs, longestMs: PACE.retentionMs },
      onError: error => this.logger.warn(`retention failed, trying again later: ${String(error)}`),
    });
  }
}
