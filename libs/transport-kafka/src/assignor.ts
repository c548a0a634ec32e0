import { partitionName, type TopicPartition } from '#messaging';
import { leadersOf } from './client.js';
import { type Cluster, MemberAssignment, MemberMetadata } from './kafkajs.js';

export interface Candidate {
  readonly memberId: string;
  readonly topics: readonly string[];
  /** The partitions that it already has. */
  readonly owned: readonly TopicPartition[];
}

/**
 * Shares partitions among members: their numbers of partitions differ by at most one, and each member keeps
 * what it has as far as that allows. Members of one service subscribe to the same topics. While two versions
 * of it run, members that do not know a topic get none of its partitions.
 */
export function assign(
  partitions: readonly TopicPartition[],
  members: readonly Candidate[],
): Map<string, TopicPartition[]> {
  const ordered = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const ableFor = ({ topic }: TopicPartition) => ordered.filter(({ topics }) => topics.includes(topic));
  // Partitions that few members can have come first, so that they are not left over for a member that is
  // full.
  const scarceFirst = (list: readonly TopicPartition[]) =>
    [...list].sort((a, b) => ableFor(a).length - ableFor(b).length);
  const free = new Map(scarceFirst(partitions).map(each => [partitionName(each), each]));
  const share = Math.floor(partitions.length / ordered.length);
  let larger = partitions.length % ordered.length;
  const shares = new Map<string, TopicPartition[]>();
  // Members with the most partitions come first: they get the shares that are larger by one, and less moves.
  for (const { memberId, topics, owned } of [...ordered].sort((a, b) => b.owned.length - a.owned.length)) {
    const known = owned.filter(({ topic }) => topics.includes(topic));
    const mine = scarceFirst(known).flatMap(each => free.get(partitionName(each)) ?? []);
    const most = share + (mine.length > share && larger > 0 ? 1 : 0);
    if (most > share) larger -= 1;
    const kept = mine.slice(0, most);
    for (const each of kept) free.delete(partitionName(each));
    shares.set(memberId, kept);
  }
  for (const each of free.values()) {
    const [least] = ableFor(each)
      .map(({ memberId }) => shares.get(memberId)!)
      .sort((a, b) => a.length - b.length);
    least?.push(each);
  }
  return shares;
}

/** Every partition of the topics. */
export function partitionsOf(cluster: Cluster, topics: readonly string[]): TopicPartition[] {
  return topics.flatMap(topic =>
    [...leadersOf(cluster, topic).keys()].sort((a, b) => a - b).map(partition => ({ topic, partition })),
  );
}

/** What a member reports to the group about itself. */
export function toMetadata(topics: readonly string[], owned: readonly TopicPartition[]): Buffer {
  return MemberMetadata.encode({ version: 1, topics, userData: Buffer.from(JSON.stringify(owned)) });
}

export function fromMetadata(memberId: string, metadata: Buffer): Candidate {
  const { topics, userData } = MemberMetadata.decode(metadata);
  return { memberId, topics, owned: JSON.parse(userData?.toString() || '[]') as TopicPartition[] };
}

/** The assignment of each member, as the group carries it. */
export function toAssignments(
  shares: ReadonlyMap<string, readonly TopicPartition[]>,
): { memberId: string; memberAssignment: Buffer }[] {
  return [...shares].map(([memberId, share]) => {
    const byTopic = [...Map.groupBy(share, ({ topic }) => topic)];
    const assignment = Object.fromEntries(
      byTopic.map(([topic, list]) => [topic, list.map(({ partition }) => partition)]),
    );
    return { memberId, memberAssignment: MemberAssignment.encode({ version: 1, assignment }) };
  });
}

export function fromAssignment(memberAssignment: Buffer): TopicPartition[] {
  if (memberAssignment.length === 0) return [];
  const assignment = MemberAssignment.decode(memberAssignment)?.assignment ?? {};
  return Object.entries(assignment).flatMap(([topic, list]) => list.map(partition => ({ topic, partition })));
}
