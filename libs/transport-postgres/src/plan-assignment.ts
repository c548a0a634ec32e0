import { partitionName, rankByRendezvous, type TopicPartition } from '#messaging';

/** A live instance of a group. */
export interface Member {
  readonly instance: string;
  /** What it subscribes to; null for an instance of an earlier version, which takes every topic of its group. */
  readonly topics: readonly string[] | null;
}

/**
 * Shares partitions among the members that subscribe to their topics: rendezvous hashing, with no member given more
 * than its share while another has less. Members of two versions may subscribe to different topics; partitions that
 * the same members can take are shared among these.
 * @returns the partitions of each instance; all who have the same input come to the same result
 */
export function planAssignment(
  group: string,
  members: readonly Member[],
  partitions: readonly TopicPartition[],
): Map<string, TopicPartition[]> {
  const plan = new Map<string, TopicPartition[]>();
  const takersOf = (topic: string) =>
    members.filter(({ topics }) => topics?.includes(topic) ?? true).map(({ instance }) => instance);
  const alike = Map.groupBy(partitions, ({ topic }) => JSON.stringify(takersOf(topic)));
  for (const shared of alike.values()) {
    const takers = takersOf(shared[0]!.topic);
    const share = Math.ceil(shared.length / Math.max(takers.length, 1));
    const load = new Map<string, number>();
    for (const partition of shared) {
      const ranked = rankByRendezvous(`${group}|${partitionName(partition)}`, takers);
      const owner = ranked.find(taker => (load.get(taker) ?? 0) < share);
      if (owner === undefined) continue;
      load.set(owner, (load.get(owner) ?? 0) + 1);
      plan.set(owner, [...(plan.get(owner) ?? []), partition]);
    }
  }
  return plan;
}
