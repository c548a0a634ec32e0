import { setTimeout } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import {
  type BatchHandler,
  MessageTooLarge,
  type PartitionLag,
  type SubscribeOptions,
  type TopicSpec,
  type Transport,
  type TransportCapabilities,
  type TransportSubscription,
  UnknownTopic,
  type WireMessage,
} from '#messaging';
import { BroadcastSubscription } from './broadcast-subscription.js';
import { KafkaClient } from './client.js';
import { GroupSubscription } from './group-subscription.js';
import { lagOf } from './lag.js';
import { LIMITS, PACE } from './limits.js';
import type { KafkaTransportOptions } from './options.js';
import { retryStale } from './retry-stale.js';
import { Producer } from './producer.js';
import { ensureTopics } from './topics.js';

/** Apache Kafka behind the transport port. */
export class KafkaTransport implements Transport {
  readonly capabilities: TransportCapabilities = { maxMessageBytes: LIMITS.maxMessageBytes };

  private readonly logger = new Logger(KafkaTransport.name);
  private readonly closed = new AbortController();
  private readonly client: KafkaClient;
  private readonly producer: Producer;
  private readonly prefix: string;
  private readonly groups = new Set<GroupSubscription>();
  private readonly broadcasts = new Set<BroadcastSubscription>();
  private closing: Promise<void> | undefined;

  constructor(private readonly options: KafkaTransportOptions) {
    this.prefix = options.prefix ?? '';
    this.client = new KafkaClient(options);
    this.producer = new Producer(this.client.another(), this.closed.signal);
  }

  /** Waits for brokers that are unavailable. */
  async ensureTopics(topics: readonly TopicSpec[]): Promise<void> {
    const wanted = topics.map(({ name, partitions }) => ({
      name: this.prefix + name,
      partitions: this.options.partitions ?? partitions,
    }));
    await this.whenBack('topics', () => ensureTopics(this.client, wanted, this.options.replication ?? 1));
  }

  async identity(): Promise<string> {
    const { clusterId } = await this.whenBack('identity', () => this.metadata());
    return `kafka ${clusterId} ${this.prefix}`;
  }

  async publish(messages: readonly WireMessage[]): Promise<void> {
    for (const { topic, key, payload } of messages) {
      const limit = LIMITS.maxMessageBytes;
      if (payload.length > limit) throw new MessageTooLarge(topic, key, payload.length, limit);
    }
    await this.named(() =>
      this.producer.send(messages.map(message => ({ ...message, topic: this.prefix + message.topic }))),
    );
  }

  /** Waits for brokers that are unavailable. */
  async subscribe(options: SubscribeOptions, handler: BatchHandler): Promise<TransportSubscription> {
    const { group, startFrom, mode, maxBatch, maxBatchBytes = LIMITS.maxBatchBytes } = options;
    const topics = options.topics.map(topic => this.prefix + topic);
    const read = { messages: maxBatch, bytes: maxBatchBytes, nameOf: this.nameOf };
    const client = this.client.another();
    if (mode === 'broadcast') {
      const subscription: BroadcastSubscription = new BroadcastSubscription(
        client,
        group,
        topics,
        read,
        handler,
        () => this.broadcasts.delete(subscription),
      );
      this.broadcasts.add(subscription);
      await this.named(() => this.whenBack(group, () => subscription.start()));
      return subscription;
    }
    const { instance, sessionMs = LIMITS.sessionMs } = this.options;
    const isOurs = (memberId: string) => [...this.groups].some(each => each.memberId === memberId);
    const member = { group: this.prefix + group, topics, startFrom, instance, sessionMs, isOurs };
    const subscription: GroupSubscription = new GroupSubscription(client, member, read, handler, () =>
      this.groups.delete(subscription),
    );
    this.groups.add(subscription);
    await this.named(() => this.whenBack(group, () => subscription.start()));
    return subscription;
  }

  async lag(group: string): Promise<readonly PartitionLag[]> {
    const lags = await retryStale(() => lagOf(this.client, this.prefix + group), {
      forMs: LIMITS.lagMs,
      signal: this.closed.signal,
    });
    return lags.map(lag => ({ ...lag, topic: this.nameOf(lag.topic) }));
  }

  async check(): Promise<void> {
    const late = new AbortController();
    const deadline = setTimeout(PACE.checkMs, undefined, { signal: late.signal }).then(() => {
      throw new Error(
        `no broker of ${this.options.brokers.join(', ')} answered within ${PACE.checkMs} ms` +
          (this.client.trouble === undefined ? '' : `; last error: ${this.client.trouble}`),
      );
    });
    deadline.catch(() => undefined);
    const asked = this.metadata();
    try {
      await Promise.race([asked, deadline]);
    } finally {
      late.abort();
    }
  }

  close(): Promise<void> {
    return (this.closing ??= this.shutDown());
  }

  private async shutDown(): Promise<void> {
    await Promise.all([...this.groups, ...this.broadcasts].map(subscription => subscription.close()));
    this.closed.abort();
    await this.producer.close();
    await this.client.close();
  }

  private metadata() {
    return this.client.use(async cluster => (await cluster.findControllerBroker()).metadata([]));
  }

  private readonly nameOf = (topic: string): string => topic.slice(this.prefix.length);

  /** Errors name topics as the caller does. */
  private async named<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof UnknownTopic ? new UnknownTopic(this.nameOf(error.topic)) : error;
    }
  }

  /** Retries until the brokers answer. */
  private whenBack<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    return retryStale(attempt, {
      forMs: Infinity,
      signal: this.closed.signal,
      onPause: (error, ms) => this.logger.warn(`${what}: trying again in ${ms} ms: ${String(error)}`),
    });
  }
}
