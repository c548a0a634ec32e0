import { type PartitionLag, partitionName } from '#messaging';
import { fromAssignment } from './assignor.js';
import { endsOf, type KafkaClient, leadersOf } from './client.js';
import { type Broker, type Cluster, READ_COMMITTED, RecordFilter } from './kafkajs.js';

/** How far a group is behind, as the brokers count it. Topic names have their prefix. */
export async function lagOf(client: KafkaClient, groupId: string): Promise<PartitionLag[]> {
  const { committed, owners } = await client.use(async cluster => {
    const broker = await cluster.findGroupCoordinator({ groupId });
    return { committed: await committedOf(broker, groupId), owners: await ownersOf(broker, groupId) };
  });
  const topics = [...new Set(committed.map(({ topic }) => topic))];
  if (topics.length === 0) return [];
  return client.useTopics(topics, async cluster => {
    const ends = await endsOf(cluster, topics);
    const heads = new Map(ends.map(each => [partitionName(each), each.end]));
    return Promise.all(
      committed.map(async ({ topic, partition, position }): Promise<PartitionLag> => {
        const head = heads.get(partitionName({ topic, partition })) ?? position;
        const lag = Math.max(0, head - position);
        return {
          topic,
          partition,
          head,
          committed: position,
          lag,
          oldestAt: lag === 0 ? undefined : await appendedAt(cluster, topic, partition, position),
          owner: owners.get(partitionName({ topic, partition })),
        };
      }),
    );
  });
}

async function committedOf(
  broker: Broker,
  groupId: string,
): Promise<{ topic: string; partition: number; position: number }[]> {
  const { responses } = await broker.offsetFetch({ groupId, topics: [] });
  return responses
    .flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => ({ topic, partition, position: Number(offset) })),
    )
    .filter(({ position }) => position >= 0)
    .sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
}

async function ownersOf(broker: Broker, groupId: string): Promise<ReadonlyMap<string, string>> {
  const { groups } = await broker.describeGroups({ groupIds: [groupId] });
  const owners = new Map<string, string>();
  for (const { clientId, memberAssignment } of groups.flatMap(({ members }) => members))
    for (const each of fromAssignment(memberAssignment)) owners.set(partitionName(each), clientId);
  return owners;
}

/** When the message after a position was appended; undefined if it is gone. */
async function appendedAt(
  cluster: Cluster,
  topic: string,
  partition: number,
  position: number,
): Promise<Date | undefined> {
  try {
    const broker = await cluster.findBroker({ nodeId: leadersOf(cluster, topic).get(partition)! });
    const { responses } = await broker.fetch({
      isolationLevel: READ_COMMITTED,
      maxWaitTime: 0,
      minBytes: 0,
      // The broker sends one record batch, however long it is.
      maxBytes: 1,
      topics: [{ topic, partitions: [{ partition, fetchOffset: String(position), maxBytes: 1 }] }],
    });
    const [data] = responses.flatMap(({ partitions }) => partitions);
    if (data === undefined) return undefined;
    const [oldest] = new RecordFilter(topic, String(position), data).messages;
    return oldest === undefined ? undefined : new Date(Number(oldest.timestamp));
  } catch {
    return undefined;
  }
}
