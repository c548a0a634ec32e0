import { Logger } from '@nestjs/common';
import { Batcher, partitionName, type WireMessage } from '#messaging';
import { type KafkaClient, leadersOf } from './client.js';
import { isStale, protocolError } from './errors.js';
import { type Cluster, COMPRESSION, murmur2, type ProducePartition } from './kafkajs.js';
import { LIMITS, PACE } from './limits.js';
import { retryStale } from './retry-stale.js';

/** A partition's part of one round. */
interface Part extends ProducePartition {
  readonly topic: string;
  readonly bytes: number;
}

/** The outcome of one send request. */
interface Outcome {
  readonly error?: unknown;
}

interface ProducerId {
  readonly producerId: string;
  readonly producerEpoch: number;
  /** The next sequence number of each partition. */
  readonly sequences: Map<string, number>;
}

/** Compressing fewer bytes than this costs more than it saves. */
const WORTH_COMPRESSING = 2_048;
/** The overhead of a record, in bytes: lengths, offset and time. */
const RECORD_OVERHEAD = 24;
const PASSING = new Set([
  'REQUEST_TIMED_OUT',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'NETWORK_EXCEPTION',
  'INVALID_PRODUCER_ID_MAPPING',
  'CONCURRENT_TRANSACTIONS',
]);

/**
 * Appends messages idempotently (KIP-98), acknowledged by all in-sync replicas.
 *
 * Waiting publishers are served together: one round has at most one record batch per partition, and the next
 * begins when every broker has confirmed it. So no two batches of a partition are ever in flight at once, and
 * a batch that is sent again because its response was lost carries the sequence number it had.
 */
export class Producer {
  private readonly logger = new Logger('KafkaProducer');
  private readonly rounds: Batcher<readonly WireMessage[], Outcome>;
  private id: ProducerId | undefined;

  constructor(
    private readonly client: KafkaClient,
    private readonly closed: AbortSignal,
  ) {
    this.rounds = new Batcher(requests => this.serve(requests), {
      maxItems: Infinity,
      maxWeight: LIMITS.publishBytes,
      weigh: messages => messages.reduce((sum, message) => sum + sizeOf(message), 0),
      oneAtATime: true,
    });
  }

  async send(messages: readonly WireMessage[]): Promise<void> {
    if (messages.length === 0) return;
    const { error } = await this.rounds.add(messages);
    if (error !== undefined) throw error;
  }

  /** Gives waiting publishers one more attempt. */
  async close(): Promise<void> {
    await this.rounds.settled();
    await this.client.close();
  }

  /** Serves the requests together or, if one of them cannot be served at all, each on its own. */
  private async serve(requests: readonly (readonly WireMessage[])[]): Promise<Outcome[]> {
    try {
      await this.sendAll(requests.flat());
      return requests.map(() => ({}));
    } catch (error) {
      if (requests.length === 1 || isTransient(error)) return requests.map(() => ({ error }));
      const outcomes: Outcome[] = [];
      for (const request of requests) outcomes.push(...(await this.serve([request])));
      return outcomes;
    }
  }

  private async sendAll(messages: readonly WireMessage[]): Promise<void> {
    const topics = [...new Set(messages.map(({ topic }) => topic))];
    const counts = await this.retry(() =>
      this.client.useTopics(
        topics,
        async cluster => new Map(topics.map(topic => [topic, leadersOf(cluster, topic).size])),
      ),
    );
    for (let queues = byPartition(messages, counts); queues.length > 0;) {
      await this.sendRound(
        queues.map(({ topic, partition, batches }) => this.part(topic, partition, batches[0]!)),
      );
      for (const queue of queues) queue.batches.shift();
      queues = queues.filter(({ batches }) => batches.length > 0);
    }
  }

  private part(
    topic: string,
    partition: number,
    messages: readonly WireMessage[],
  ): Omit<Part, 'firstSequence'> {
    return {
      topic,
      partition,
      bytes: messages.reduce((sum, message) => sum + sizeOf(message), 0),
      messages: messages.map(({ key, headers, payload }) => ({
        key: Buffer.from(key),
        value: payload,
        headers,
      })),
    };
  }

  /** @param unnumbered one record batch for each of some partitions */
  private async sendRound(unnumbered: readonly Omit<Part, 'firstSequence'>[]): Promise<void> {
    const id = (this.id ??= await this.retry(() => this.newId()));
    const parts = unnumbered.map(part => ({
      ...part,
      firstSequence: id.sequences.get(partitionName(part)) ?? 0,
    }));
    try {
      await this.retry(() =>
        this.client.useTopics(
          parts.map(({ topic }) => topic),
          cluster => this.produce(cluster, parts, id),
        ),
      );
    } catch (error) {
      // It is unknown whether the batch was appended. A new id forgets the sequence; the inbox absorbs the
      // copies.
      this.id = undefined;
      throw error;
    }
    for (const part of parts)
      id.sequences.set(partitionName(part), (part.firstSequence + part.messages.length) % 2 ** 31);
  }

  private async produce(cluster: Cluster, parts: readonly Part[], id: ProducerId): Promise<void> {
    const byLeader = Map.groupBy(parts, ({ topic, partition }) => leadersOf(cluster, topic).get(partition)!);
    // Wait for all of them: a request that is still in flight must not be sent again in parallel.
    const outcomes = await Promise.allSettled(
      [...byLeader].map(([nodeId, ofLeader]) => this.produceTo(cluster, nodeId, ofLeader, id)),
    );
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  private async produceTo(
    cluster: Cluster,
    nodeId: number,
    parts: readonly Part[],
    { producerId, producerEpoch }: ProducerId,
  ): Promise<void> {
    const broker = await cluster.findBroker({ nodeId });
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const { topics } = await broker.produce({
      topicData: [...Map.groupBy(parts, ({ topic }) => topic)].map(([topic, partitions]) => ({
        topic,
        partitions,
      })),
      producerId,
      producerEpoch,
      acks: -1,
      timeout: PACE.requestMs,
      compression: bytes < WORTH_COMPRESSING ? COMPRESSION.none : COMPRESSION.zstd,
    });
    const confirmed = new Set(
      topics.flatMap(({ topicName: topic, partitions }) =>
        partitions.map(({ partition }) => partitionName({ topic, partition })),
      ),
    );
    const missing = parts.find(part => !confirmed.has(partitionName(part)));
    if (missing !== undefined) throw new Error(`the broker did not confirm ${partitionName(missing)}`);
  }

  private async newId(): Promise<ProducerId> {
    const id = await this.client.use(async cluster => {
      const broker = await cluster.findControllerBroker();
      return broker.initProducerId({ transactionTimeout: PACE.requestMs });
    });
    return { ...id, sequences: new Map() };
  }

  private retry<T>(attempt: () => Promise<T>): Promise<T> {
    return retryStale(attempt, {
      forMs: LIMITS.publishMs,
      isTransient,
      signal: this.closed,
      onPause: (error, ms) => this.logger.debug(`sending again in ${ms} ms: ${String(error)}`),
    });
  }
}

function isTransient(error: unknown): boolean {
  return isStale(error) || PASSING.has(protocolError(error) ?? '');
}

/** The approximate size of a message in a record batch, in bytes. */
function sizeOf({ key, headers, payload }: WireMessage): number {
  const text = Object.entries(headers).reduce(
    (sum, [name, value]) => sum + name.length + value.length + 4,
    0,
  );
  return payload.length + Buffer.byteLength(key) + text + RECORD_OVERHEAD;
}

interface Queue {
  readonly topic: string;
  readonly partition: number;
  /** Its messages, in order, split into record batches. */
  readonly batches: WireMessage[][];
}

function byPartition(messages: readonly WireMessage[], counts: ReadonlyMap<string, number>): Queue[] {
  const queues = new Map<string, Queue & { bytes: number }>();
  for (const message of messages) {
    const { topic } = message;
    const partition = partitionOf(message.key, counts.get(topic)!);
    const key = partitionName({ topic, partition });
    const queue = queues.get(key) ?? { topic, partition, batches: [], bytes: Infinity };
    queues.set(key, queue);
    const size = sizeOf(message);
    if (
      queue.bytes + size > LIMITS.recordBatchBytes ||
      queue.batches.at(-1)!.length >= LIMITS.recordBatchMessages
    ) {
      queue.batches.push([]);
      queue.bytes = 0;
    }
    queue.batches.at(-1)!.push(message);
    queue.bytes += size;
  }
  return [...queues.values()];
}

/** The same as the Java client's default partitioner. */
function partitionOf(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions;
}
