import { Logger } from '@nestjs/common';
import { BackgroundTask, isSamePartition, type ReadPosition, type TopicPartition, Wakeup } from '#messaging';
import { assign, fromAssignment, fromMetadata, partitionsOf, toAssignments, toMetadata } from './assignor.js';
import { type KafkaClient, leadersOf, offsetAt } from './client.js';
import { isFenced, protocolError } from './errors.js';
import type { Broker, Cluster } from './kafkajs.js';
import { LIMITS, RETRY } from './limits.js';

/** What a member is told about its partitions. Topic names have their prefix. */
export interface MemberEvents {
  /** These are ours from now on, and no others. A partition that we keep has the same object as before. */
  assigned(positions: readonly ReadPosition[]): void;
  /** The group rebalances: resolves when no batch is in progress. The partitions are ours until then. */
  revoke(): Promise<void>;
  /** The partitions may already have other owners. */
  lost(): void;
}

export interface MemberOptions {
  readonly group: string;
  readonly topics: readonly string[];
  readonly startFrom: 'start' | 'now';
  readonly instance: string;
  readonly sessionMs: number;
  /** Whether the member with that id runs in this process. */
  readonly isOurs: (memberId: string) => boolean;
}

/** The coordinator does not answer, and may have given our partitions to others. */
class Silent extends Error {}

const PROTOCOL = 'sluice-sticky';

/**
 * A member of a consumer group, by Kafka's classic group protocol with eager rebalancing.
 *
 * Heartbeats have their own timer, so a batch may take as long as it likes. When the group changes, the
 * member says that it is ready only after its batches in progress are done, so no partition moves under a
 * handler. A member that is silent for longer than its session is left out, and its epoch is overtaken.
 *
 * The epoch of a partition is kept in the metadata of its committed offset. A new owner raises it with its
 * own commit, which the coordinator accepts only from a member of the current generation. So the later of two
 * owners has the higher epoch, whatever happens to generations and clocks.
 */
export class Membership {
  private readonly logger = new Logger('KafkaMembership');
  private readonly wakeup = new Wakeup();
  private memberId = '';
  private generation = -1;
  private assigned: readonly ReadPosition[] = [];
  /** The generation in which the assigned partitions are ours. */
  private assignedIn = -1;
  private entering = false;
  private coordinator: { readonly cluster: Cluster; readonly broker: Broker } | undefined;
  private readonly task: BackgroundTask;
  private partitions = '';

  constructor(
    private readonly client: KafkaClient,
    private readonly options: MemberOptions,
    private readonly events: MemberEvents,
  ) {
    this.task = new BackgroundTask(() => this.turn(), {
      backoff: RETRY,
      onError: (error, pauseMs) => this.failed(error, pauseMs),
    });
  }

  get id(): string {
    return this.memberId;
  }

  /**
   * Fixes where a new group begins, and starts to join. How long joining takes is up to the other members.
   */
  async join(): Promise<void> {
    await this.evictPredecessor(this.client).catch((error: unknown) => this.logger.debug(String(error)));
    await this.client.useTopics(this.options.topics, cluster => this.settleBeginning(cluster));
    this.task.start();
  }

  /** Gives up its partitions, of which none may have a batch in progress. */
  async leave(): Promise<void> {
    const stopped = this.task.stop();
    this.wakeup.wake();
    // A join request waits for the whole group, and blocks later requests on its connection.
    if (this.entering) await this.leaveBy(this.client.another());
    await stopped;
    await this.leaveBy(this.client);
  }

  private async leaveBy(client: KafkaClient): Promise<void> {
    const { group: groupId } = this.options;
    const { memberId } = this;
    try {
      // The coordinator may already know us by an id that we have not received.
      if (memberId === '') return await this.evictPredecessor(client);
      await client.use(async cluster => {
        const broker = await cluster.findGroupCoordinator({ groupId });
        return broker.leaveGroup({ groupId, memberId });
      });
    } catch (error) {
      if (!isFenced(error)) this.logger.warn(`${groupId}: leaving the group failed: ${String(error)}`);
    } finally {
      if (client !== this.client) await client.close();
    }
  }

  /** Commits how far it has come. @returns false if not all of it is still ours to commit */
  async commit(positions: readonly ReadPosition[]): Promise<boolean> {
    const mine = positions.filter(position => this.assigned.includes(position));
    if (mine.length === 0) return false;
    const { memberId, generation } = this;
    try {
      await this.coordinate(async broker => {
        // We rejoined while the broker was looked up: what was ours then may have another owner now.
        if (this.memberId !== memberId || this.generation !== generation) return;
        await this.commitTo(broker, mine);
      });
      return mine.length === positions.length;
    } catch (error) {
      if (!isFenced(error)) throw error;
      this.wakeup.wake();
      return false;
    }
  }

  /** One membership, from joining until it is time to join again. */
  private async turn(): Promise<number> {
    await this.client.useTopics(this.options.topics, cluster => this.enter(cluster));
    await this.stay();
    return 0;
  }

  private failed(error: unknown, pauseMs: number): void {
    if (protocolError(error) === 'UNKNOWN_MEMBER_ID') this.memberId = '';
    if (isFenced(error) || error instanceof Silent) this.forget();
    this.logger.warn(`${this.options.group}: joining in ${pauseMs} ms: ${String(error)}`);
  }

  private forget(): void {
    this.assigned = [];
    this.events.lost();
  }

  /** Joins the group and takes the partitions assigned to us. */
  private async enter(cluster: Cluster): Promise<void> {
    const { group: groupId, topics, sessionMs } = this.options;
    // Leaders and partitions must be current: the leader of the group assigns them.
    await cluster.refreshMetadata();
    if (this.task.stopping) throw new Error('the member is leaving');
    const broker = await cluster.findGroupCoordinator({ groupId });
    const owned = this.assigned.map(({ topic, partition }): TopicPartition => ({ topic, partition }));
    this.entering = true;
    const request = broker.joinGroup({
      groupId,
      memberId: this.memberId,
      sessionTimeout: sessionMs,
      rebalanceTimeout: LIMITS.rebalanceMs,
      groupProtocols: [{ name: PROTOCOL, metadata: toMetadata(topics, owned) }],
    });
    const { generationId, memberId, leaderId, members } = await request.finally(
      () => (this.entering = false),
    );
    // In a generation that we missed, another member may have owned our partitions.
    if (generationId !== this.assignedIn + 1) this.forget();
    this.memberId = memberId;
    this.generation = generationId;
    this.partitions = this.countPartitions(cluster);
    const groupAssignment = memberId === leaderId ? await this.shareOut(members) : [];
    const { memberAssignment } = await broker.syncGroup({ groupId, generationId, memberId, groupAssignment });
    const partitions = fromAssignment(memberAssignment);
    this.assigned = await this.takeOver(cluster, broker, partitions);
    this.assignedIn = generationId;
    this.events.assigned(this.assigned);
  }

  /** As the group's leader, assigns the partitions of every topic that any member knows. */
  private async shareOut(members: readonly { memberId: string; memberMetadata: Buffer }[]) {
    const candidates = members.map(each => fromMetadata(each.memberId, each.memberMetadata));
    const topics = [...new Set(candidates.flatMap(each => each.topics))];
    const partitions = await this.client.useTopics(topics, async cluster => partitionsOf(cluster, topics));
    return toAssignments(assign(partitions, candidates));
  }

  /** Partitions that we keep go on. New ones begin where the group left off, under a new epoch. */
  private async takeOver(
    cluster: Cluster,
    broker: Broker,
    partitions: readonly TopicPartition[],
  ): Promise<readonly ReadPosition[]> {
    const kept = partitions.flatMap(
      each => this.assigned.find(position => isSamePartition(position, each)) ?? [],
    );
    const fresh = partitions.filter(each => !kept.some(position => isSamePartition(position, each)));
    if (fresh.length === 0) return kept;
    const places = await this.placesOf(cluster, broker, fresh);
    const positions = places.map(({ metadata, ...place }) => ({ ...place, epoch: epochAfter(metadata) }));
    await this.commitTo(broker, positions);
    return [...kept, ...positions];
  }

  /**
   * Commits where a new group begins. A group without members accepts any commit; otherwise its members do
   * this.
   */
  private async settleBeginning(cluster: Cluster): Promise<void> {
    const broker = await cluster.findGroupCoordinator({ groupId: this.options.group });
    const places = await this.placesOf(cluster, broker, partitionsOf(cluster, this.options.topics));
    const unknown = places.filter(({ known }) => !known);
    if (unknown.length === 0) return;
    const positions = unknown.map(place => ({ ...place, epoch: epochAfter(null) }));
    try {
      await this.commitTo(broker, positions);
    } catch (error) {
      if (!isFenced(error) && protocolError(error) !== 'REBALANCE_IN_PROGRESS') throw error;
    }
  }

  /** Where the group left off in each partition, or begins. A partition added since begins at its start. */
  private async placesOf(
    cluster: Cluster,
    broker: Broker,
    partitions: readonly TopicPartition[],
  ): Promise<(TopicPartition & { after: number; metadata: string | null; known: boolean })[]> {
    const topics = [...new Set(partitions.map(({ topic }) => topic))];
    const { responses } = await broker.offsetFetch({
      groupId: this.options.group,
      topics: [...Map.groupBy(partitionsOf(cluster, topics), ({ topic }) => topic)].map(([topic, list]) => ({
        topic,
        partitions: list.map(({ partition }) => ({ partition })),
      })),
    });
    const places = responses.flatMap(({ topic, partitions }) => {
      const begun = partitions.some(({ offset }) => Number(offset) >= 0);
      return partitions.map(each => ({ topic, begun, ...each }));
    });
    return Promise.all(
      places
        .filter(place => partitions.some(each => isSamePartition(each, place)))
        .map(async ({ topic, partition, offset, metadata, begun }) => {
          const known = Number(offset) >= 0;
          const from = begun || this.options.startFrom === 'start' ? 'start' : 'end';
          const after = known ? Number(offset) : await offsetAt(cluster, topic, partition, from);
          return { topic, partition, after, metadata, known };
        }),
    );
  }

  /**
   * Keeps the membership alive. Returns when it is time to join again.
   * @throws when what is assigned is no longer ours
   */
  private async stay(): Promise<void> {
    const { sessionMs, group: groupId } = this.options;
    let heardAt = performance.now();
    let ready: Promise<void> | undefined;
    let done = false;
    const prepare = () => {
      ready ??= this.events.revoke().then(() => {
        done = true;
        this.wakeup.wake();
      });
    };
    for (;;) {
      await this.wakeup.wait(sessionMs / 3);
      if (done) return;
      if (this.task.stopping) return;
      const { memberId, generation: groupGenerationId } = this;
      try {
        await this.coordinate(broker => broker.heartbeat({ groupId, memberId, groupGenerationId }));
        heardAt = performance.now();
        if (await this.hasGrown()) prepare();
      } catch (error) {
        if (isFenced(error)) throw error;
        if (protocolError(error) === 'REBALANCE_IN_PROGRESS') {
          heardAt = performance.now();
          prepare();
        } else if (performance.now() - heardAt > sessionMs) {
          throw new Silent(`the coordinator did not answer for ${sessionMs} ms`, {
            cause: error,
          });
        } else {
          this.logger.warn(`${groupId}: heartbeat failed: ${String(error)}`);
        }
      }
    }
  }

  /** Whether the topics have more partitions than when we joined. */
  private async hasGrown(): Promise<boolean> {
    return this.client.useTopics(
      this.options.topics,
      async cluster => this.countPartitions(cluster) !== this.partitions,
    );
  }

  private countPartitions(cluster: Cluster): string {
    return this.options.topics.map(topic => leadersOf(cluster, topic).size).join();
  }

  /** A predecessor with our name no longer runs: its partitions need not wait for its session to expire. */
  private async evictPredecessor(client: KafkaClient): Promise<void> {
    const { group: groupId, instance, isOurs } = this.options;
    await client.use(async cluster => {
      const broker = await cluster.findGroupCoordinator({ groupId });
      const { groups } = await broker.describeGroups({ groupIds: [groupId] });
      for (const { clientId, memberId } of groups.flatMap(({ members }) => members)) {
        if (clientId === instance && !isOurs(memberId)) await broker.leaveGroup({ groupId, memberId });
      }
    });
  }

  /** Asks the coordinator, which is looked up once per connection. */
  private coordinate<T>(work: (broker: Broker) => Promise<T>): Promise<T> {
    return this.client.use(async cluster => {
      if (this.coordinator?.cluster !== cluster) {
        const broker = await cluster.findGroupCoordinator({ groupId: this.options.group });
        this.coordinator = { cluster, broker };
      }
      return work(this.coordinator.broker);
    });
  }

  private async commitTo(broker: Broker, positions: readonly ReadPosition[]): Promise<void> {
    const { memberId, generation: groupGenerationId } = this;
    await broker.offsetCommit({
      groupId: this.options.group,
      memberId,
      groupGenerationId,
      topics: [...Map.groupBy(positions, ({ topic }) => topic)].map(([topic, list]) => ({
        topic,
        partitions: list.map(({ partition, after, epoch }) => ({
          partition,
          offset: String(after),
          metadata: `epoch=${epoch}`,
        })),
      })),
    });
  }
}

/**
 * Above every earlier epoch. A group without one starts at the current time, above the epochs of a deleted
 * group.
 */
function epochAfter(metadata: string | null): number {
  const known = /^epoch=(\d{1,15})$/.exec(metadata ?? '')?.[1];
  return known === undefined ? Date.now() : Number(known) + 1;
}
