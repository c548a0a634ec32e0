import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';

/**
 * What we use of `kafkajs`; no other file imports it. We use its connections, its authentication and its
 * encoding of requests. Its producer and its consumer are not used; see the decision record on the Kafka
 * client. None of this is its public interface, so its version is pinned.
 */
const require = createRequire(import.meta.url);

/** A connection to each broker, and what is known about topics and their leaders. */
export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findTopicPartitionMetadata(topic: string): readonly { partitionId: number; leader: number }[];
  findBroker(options: { nodeId: number }): Promise<Broker>;
  findControllerBroker(): Promise<Broker>;
  findGroupCoordinator(options: { groupId: string }): Promise<Broker>;
  fetchTopicsOffset(
    topics: readonly {
      topic: string;
      partitions: readonly { partition: number }[];
      fromBeginning: boolean;
    }[],
  ): Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]>;
}

export interface ProducePartition {
  readonly partition: number;
  readonly firstSequence: number;
  readonly messages: readonly { key: Buffer; value: Buffer; headers: Readonly<Record<string, string>> }[];
}

export interface FetchedPartition {
  readonly partition: number;
  readonly messages: readonly FetchedRecord[];
}

export interface FetchedRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, Buffer | readonly Buffer[]>>;
}

export interface OffsetEntry {
  readonly partition: number;
  readonly offset: string;
  readonly metadata?: string | null;
}

interface OfGroup {
  readonly groupId: string;
}

interface OfMember extends OfGroup {
  readonly memberId: string;
}

/** The requests of Kafka's protocol that we send. */
export interface Broker {
  metadata(topics: readonly string[]): Promise<{
    readonly clusterId: string;
    readonly topicMetadata: readonly {
      topic: string;
      partitionMetadata: readonly { partitionId: number; leader: number }[];
    }[];
  }>;
  createTopics(request: {
    topics: readonly {
      topic: string;
      numPartitions: number;
      replicationFactor: number;
      configEntries: readonly { name: string; value: string }[];
    }[];
    timeout?: number;
  }): Promise<void>;
  describeConfigs(request: {
    resources: readonly { type: number; name: string; configNames: readonly string[] }[];
  }): Promise<{
    resources: readonly {
      resourceName: string;
      configEntries: readonly { configName: string; configValue: string }[];
    }[];
  }>;
  initProducerId(request: { transactionTimeout: number }): Promise<{
    producerId: string;
    producerEpoch: number;
  }>;
  produce(request: {
    topicData: readonly { topic: string; partitions: readonly ProducePartition[] }[];
    producerId: string;
    producerEpoch: number;
    acks: number;
    timeout: number;
    compression: number;
  }): Promise<{ topics: readonly { topicName: string; partitions: readonly { partition: number }[] }[] }>;
  fetch(request: {
    isolationLevel: number;
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    topics: readonly {
      topic: string;
      partitions: readonly { partition: number; fetchOffset: string; maxBytes: number }[];
    }[];
  }): Promise<{ responses: readonly { topicName: string; partitions: readonly FetchedPartition[] }[] }>;
  joinGroup(
    request: OfMember & {
      sessionTimeout: number;
      rebalanceTimeout: number;
      groupProtocols: readonly { name: string; metadata: Buffer }[];
    },
  ): Promise<{
    generationId: number;
    leaderId: string;
    memberId: string;
    members: readonly { memberId: string; memberMetadata: Buffer }[];
  }>;
  syncGroup(
    request: OfMember & {
      generationId: number;
      groupAssignment: readonly { memberId: string; memberAssignment: Buffer }[];
    },
  ): Promise<{ memberAssignment: Buffer }>;
  heartbeat(request: OfMember & { groupGenerationId: number }): Promise<unknown>;
  leaveGroup(request: OfMember): Promise<unknown>;
  describeGroups(request: { groupIds: readonly string[] }): Promise<{
    groups: readonly {
      members: readonly { memberId: string; clientId: string; memberAssignment: Buffer }[];
    }[];
  }>;
  offsetCommit(
    request: OfMember & {
      groupGenerationId: number;
      topics: readonly { topic: string; partitions: readonly OffsetEntry[] }[];
    },
  ): Promise<unknown>;
  /** Without topics: everything that the group has committed. */
  offsetFetch(
    request: OfGroup & {
      topics: readonly { topic: string; partitions: readonly { partition: number }[] }[];
    },
  ): Promise<{
    responses: readonly { topic: string; partitions: readonly Required<OffsetEntry>[] }[];
  }>;
}

/** How to reach the brokers. */
export interface ClusterSettings {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly ssl?: object | undefined;
  readonly sasl?: object | undefined;
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
  readonly metadataMaxAge: number;
  readonly isolationLevel: number;
  readonly retry: { retries: number; initialRetryTime: number; maxRetryTime: number };
  readonly allowAutoTopicCreation: boolean;
}

const ClusterClass = require('kafkajs/src/cluster/index.js') as new (options: object) => Cluster;
const createSocketFactory = require('kafkajs/src/network/socketFactory.js') as () => unknown;
const { createLogger } = require('kafkajs/src/loggers/index.js') as {
  createLogger: (options: { level: number; logCreator: () => () => void }) => unknown;
};

/** Callers report what goes wrong; the library's own log lines would report it twice. */
const SILENT = { level: 0, logCreator: () => () => undefined };

export function createCluster(settings: ClusterSettings): Cluster {
  return new ClusterClass({
    ...settings,
    logger: createLogger(SILENT),
    socketFactory: createSocketFactory(),
    enforceRequestTimeout: true,
  });
}

/** As in the Java client, so that a key has the same partition whichever client sends it. */
export const murmur2 = require('kafkajs/src/producer/partitioners/default/murmur2.js') as (
  key: Buffer,
) => number;

/** The metadata and the assignment of a group's member, in the format that every Kafka tool reads. */
export const { MemberMetadata, MemberAssignment } = require('kafkajs/src/consumer/assignerProtocol.js') as {
  MemberMetadata: {
    encode(value: { version: number; topics: readonly string[]; userData?: Buffer }): Buffer;
    decode(buffer: Buffer): { topics: string[]; userData: Buffer | null };
  };
  MemberAssignment: {
    encode(value: { version: number; assignment: Readonly<Record<string, readonly number[]>> }): Buffer;
    decode(buffer: Buffer): { assignment: Readonly<Record<string, readonly number[]>> } | null;
  };
};

/** Filters out what aborted transactions of other producers wrote. */
export const RecordFilter = require('kafkajs/src/consumer/batch.js') as new (
  topic: string,
  fetchedOffset: string,
  partition: FetchedPartition,
) => { readonly messages: readonly FetchedRecord[] };

export const READ_COMMITTED = 1;
export const TOPIC_RESOURCE = 2;
export const COMPRESSION = { none: 0, zstd: 4 } as const;

/** The largest size of a batch after decompression: others may write to the broker. */
const LARGEST_BATCH = 64 * 1024 * 1024;

const { Codecs } = require('kafkajs/src/protocol/message/compression/index.js') as {
  Codecs: Record<number, () => unknown>;
};
const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
Codecs[COMPRESSION.zstd] = () => ({
  compress: (encoder: { buffer: Buffer }) => compress(encoder.buffer),
  decompress: (buffer: Buffer) => decompress(buffer, { maxOutputLength: LARGEST_BATCH }),
});

interface MetadataResponse {
  parse: (data: { topicMetadata: readonly { topicErrorCode: number }[] }) => Promise<unknown>;
}

const { createErrorFromCode } = require('kafkajs/src/protocol/error.js') as {
  createErrorFromCode: (code: number) => Error;
};

/** UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, TOPIC_AUTHORIZATION_FAILED */
const OF_THE_TOPIC = new Set([3, 17, 29]);

/**
 * kafkajs discards the whole response if any partition, even one of an unrelated topic, has no leader at the
 * moment. Here such a partition is accepted, with -1 as its leader.
 */
for (const version of [0, 1, 2, 3, 4, 5, 6]) {
  const response = require(
    `kafkajs/src/protocol/requests/metadata/v${version}/response.js`,
  ) as MetadataResponse;
  response.parse = async data => {
    const wrong = data.topicMetadata.find(({ topicErrorCode }) => OF_THE_TOPIC.has(topicErrorCode));
    if (wrong !== undefined) throw createErrorFromCode(wrong.topicErrorCode);
    return data;
  };
}

interface RequestQueue {
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  readonly throttledUntil: number;
  readonly pending: readonly unknown[];
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(this: RequestQueue): void;
}

const RequestQueue = require('kafkajs/src/network/requestQueue/index.js') as { prototype: RequestQueue };

/** After every response, kafkajs sets a timer with a negative delay, which Node turns into 1 ms, forever. */
RequestQueue.prototype.scheduleCheckPendingRequests = function () {
  if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
  const wait = Math.max(this.throttledUntil - Date.now(), 10);
  this.throttleCheckTimeoutId = setTimeout(() => {
    this.throttleCheckTimeoutId = null;
    this.checkPendingRequests();
  }, wait);
};
