import { UnknownTopic } from '#messaging';
import { isStale, protocolError } from './errors.js';
import { type Cluster, createCluster, READ_COMMITTED } from './kafkajs.js';
import { PACE } from './limits.js';
import type { KafkaTransportOptions } from './options.js';

/**
 * Connections to the brokers, opened when they are needed. After a failure the whole set is thrown away and
 * opened again: what the underlying library knows of lost brokers is not reliable.
 */
export class KafkaClient {
  private cluster: Promise<Cluster> | undefined;
  private closed = false;
  private lastError: string | undefined;

  constructor(private readonly options: KafkaTransportOptions) {}

  /** Another set of connections to the same brokers: a request that waits blocks those after it. */
  another(): KafkaClient {
    return new KafkaClient(this.options);
  }

  /** Does something with the brokers. After an error that says they changed, the next call connects again. */
  async use<T>(work: (cluster: Cluster) => Promise<T>): Promise<T> {
    const opened = this.open();
    try {
      const cluster = await opened;
      await cluster.refreshMetadataIfNecessary();
      return await work(cluster);
    } catch (error) {
      this.lastError = String(error);
      if (isStale(error)) this.drop(opened);
      throw error;
    }
  }

  /** The last error. */
  get trouble(): string | undefined {
    return this.lastError;
  }

  /** Does something with topics whose leaders are known. @throws UnknownTopic */
  async useTopics<T>(topics: readonly string[], work: (cluster: Cluster) => Promise<T>): Promise<T> {
    return this.use(async cluster => {
      await know(cluster, topics);
      return work(cluster);
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    const cluster = await this.cluster?.catch(() => undefined);
    await cluster?.disconnect().catch(() => undefined);
  }

  private open(): Promise<Cluster> {
    if (this.closed) return Promise.reject(new Error('the connection to Kafka is closed'));
    return (this.cluster ??= this.connect());
  }

  private async connect(): Promise<Cluster> {
    const { brokers, instance, tls, sasl } = this.options;
    const cluster = createCluster({
      brokers,
      clientId: instance,
      ssl: tls,
      // A copy: the library keeps in it what it learns about the login.
      sasl: sasl && { ...sasl },
      connectionTimeout: PACE.connectMs,
      requestTimeout: PACE.requestMs,
      metadataMaxAge: PACE.metadataMs,
      isolationLevel: READ_COMMITTED,
      // Each attempt takes another broker of the list.
      retry: { retries: Math.max(3, brokers.length), initialRetryTime: 50, maxRetryTime: 200 },
      allowAutoTopicCreation: false,
    });
    await cluster.connect();
    return cluster;
  }

  private drop(cluster: Promise<Cluster>): void {
    if (this.cluster !== cluster) return;
    this.cluster = undefined;
    cluster.then(each => each.disconnect()).catch(() => undefined);
  }
}

async function know(cluster: Cluster, topics: readonly string[]): Promise<void> {
  for (const topic of new Set(topics)) {
    try {
      await cluster.addMultipleTargetTopics([topic]);
    } catch (error) {
      const type = protocolError(error);
      if (type === 'UNKNOWN_TOPIC_OR_PARTITION' || type === 'INVALID_TOPIC_EXCEPTION')
        throw new UnknownTopic(topic);
      throw error;
    }
  }
}

/** The offset after the last message of each partition. */
export async function endsOf(
  cluster: Cluster,
  topics: readonly string[],
): Promise<{ topic: string; partition: number; end: number }[]> {
  const ends = await cluster.fetchTopicsOffset(
    topics.map(topic => ({
      topic,
      partitions: [...leadersOf(cluster, topic).keys()].map(partition => ({ partition })),
      fromBeginning: false,
    })),
  );
  return ends.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, offset }) => ({ topic, partition, end: Number(offset) })),
  );
}

/** The offset of a partition's first message, or the one after its last. */
export async function offsetAt(
  cluster: Cluster,
  topic: string,
  partition: number,
  place: 'start' | 'end',
): Promise<number> {
  const fromBeginning = place === 'start';
  const [found] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning }]);
  return Number(found!.partitions[0]!.offset);
}

/** The broker that leads each of a topic's partitions. */
export function leadersOf(cluster: Cluster, topic: string): ReadonlyMap<number, number> {
  return new Map(cluster.findTopicPartitionMetadata(topic).map(each => [each.partitionId, each.leader]));
}
