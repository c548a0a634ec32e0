import { type TopicSpec, UnknownTopic } from '#messaging';
import type { KafkaClient } from './client.js';
import { type Broker, TOPIC_RESOURCE } from './kafkajs.js';
import { LIMITS } from './limits.js';
import { retryStale } from './retry-stale.js';

/** An existing topic accepts only shorter messages than we may send. */
export class TopicTooNarrow extends Error {
  readonly code = 'topic_too_narrow';
  constructor(
    readonly topic: string,
    readonly bytes: number,
  ) {
    super(
      `topic ${topic} accepts records of at most ${bytes} bytes, but ${LIMITS.maxRecordBytes} are needed; ` +
        `run kafka-configs --alter --topic ${topic} --add-config max.message.bytes=${LIMITS.maxRecordBytes}`,
    );
  }
}

/**
 * Creates the topics that do not exist; an existing topic keeps its settings.
 * @throws TopicTooNarrow
 */
export async function ensureTopics(
  client: KafkaClient,
  topics: readonly TopicSpec[],
  replication: number,
): Promise<void> {
  await client.use(async cluster => {
    const broker = await cluster.findControllerBroker();
    const { topicMetadata } = await broker.metadata([]);
    const there = new Set(topicMetadata.map(({ topic }) => topic));
    await requireRoom(
      broker,
      topics.filter(({ name }) => there.has(name)),
    );
    const missing = topics.filter(({ name }) => !there.has(name));
    if (missing.length > 0) await create(broker, missing, replication);
  });
  // A broker may not yet know of a topic that the controller has created.
  await retryStale(
    () =>
      client.useTopics(
        topics.map(({ name }) => name),
        async () => undefined,
      ),
    { forMs: LIMITS.publishMs, isTransient: error => error instanceof UnknownTopic },
  );
}

async function create(broker: Broker, topics: readonly TopicSpec[], replication: number): Promise<void> {
  const settings = {
    'max.message.bytes': LIMITS.maxRecordBytes,
    'retention.ms': LIMITS.retentionDays * 86_400_000,
    // The broker's clock, not the sender's, says when a message was appended.
    'message.timestamp.type': 'LogAppendTime',
    // With three replicas, two must have a message before it counts: losing one broker loses no message.
    'min.insync.replicas': Math.min(replication, 2),
  };
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value: String(value) }));
  try {
    await broker.createTopics({
      topics: topics.map(({ name: topic, partitions: numPartitions }) => ({
        topic,
        numPartitions,
        replicationFactor: replication,
        configEntries,
      })),
    });
  } catch (error) {
    const all = (error as { errors?: { type: string; topic: string; message: string }[] }).errors;
    const bad = all?.find(({ type }) => type !== 'TOPIC_ALREADY_EXISTS');
    if (all !== undefined && bad === undefined) return;
    throw bad === undefined
      ? error
      : new Error(`topic ${bad.topic} cannot be created: ${bad.message}`, { cause: bad });
  }
}

async function requireRoom(broker: Broker, topics: readonly TopicSpec[]): Promise<void> {
  if (topics.length === 0) return;
  const name = 'max.message.bytes';
  const { resources } = await broker.describeConfigs({
    resources: topics.map(topic => ({ type: TOPIC_RESOURCE, name: topic.name, configNames: [name] })),
  });
  for (const { resourceName, configEntries } of resources) {
    const bytes = Number(configEntries.find(({ configName }) => configName === name)?.configValue);
    if (bytes < LIMITS.maxRecordBytes) throw new TopicTooNarrow(resourceName, bytes);
  }
}
