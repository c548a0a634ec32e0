import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import { partitionName, type TopicPartition } from '#messaging';
import { type Member, planAssignment } from './plan-assignment.js';
import { REBALANCE } from './schema.js';

/** A partition that this instance owns until its lease expires or another instance overtakes its epoch. */
export interface Assignment extends TopicPartition {
  readonly epoch: number;
  /** Where the group left off when we got it. */
  readonly committed: number;
}

const ACQUIRE = `
UPDATE assignment a
SET owner = $2, epoch = a.epoch + 1, expires_at = now() + make_interval(secs => $3), active_at = now()
FROM unnest($4::text[], $5::int[]) AS wanted(topic, partition)
WHERE a.group_name = $1 AND a.topic = wanted.topic AND a.partition = wanted.partition
  AND (a.owner IS NULL OR a.owner = $2 OR a.expires_at < now())
RETURNING a.topic, a.partition, a.epoch::float8 AS epoch,
          committed_of(a.group_name, a.topic, a.partition)::float8 AS committed`;

const RELEASE = `
UPDATE assignment SET owner = NULL, expires_at = '-infinity'
WHERE group_name = $1 AND topic = $2 AND partition = $3 AND owner = $4 AND epoch = $5`;

const JOIN = `
WITH joined AS (
  INSERT INTO assignment (group_name, topic, partition)
  SELECT $1, topic, partition FROM partition WHERE topic = ANY($2) ORDER BY topic, partition
  ON CONFLICT DO NOTHING RETURNING topic, partition
)
INSERT INTO group_position (group_name, topic, partition, generation, committed)
SELECT $1, topic, partition, 1, CASE WHEN $3 THEN head_of(topic, partition) ELSE 0 END FROM joined`;

const ENTER = `
INSERT INTO member (group_name, instance, expires_at, topics)
VALUES ($1, $2, now() + make_interval(secs => $3), $4)
ON CONFLICT (group_name, instance) DO UPDATE SET expires_at = excluded.expires_at, topics = excluded.topics`;

/** What a heartbeat says of a group. */
export interface GroupBeat {
  /** The partitions that are still ours. */
  readonly renewed: readonly TopicPartition[];
  /** The other instances that are alive. */
  readonly others: readonly Member[];
  readonly partitions: readonly TopicPartition[];
}

/**
 * Shares a group's partitions among its live instances.
 *
 * Each instance computes the same plan from the same list of members and takes its share; the row in
 * `assignment` decides. Every change of owner raises the epoch, and a commit under an old epoch is refused.
 */
export class Membership {
  private readonly logger = new Logger(Membership.name);
  private assigned = new Map<string, Assignment>();
  private leaseUntil = 0;

  constructor(
    private readonly pool: Pool,
    readonly group: string,
    readonly topics: readonly string[],
    private readonly instance: string,
    private readonly leaseMs: number,
  ) {}

  /** What was assigned to us, whether or not we could renew it in time. */
  get held(): readonly Assignment[] {
    return [...this.assigned.values()];
  }

  /** The partitions that are ours at this moment. Empty when we could not renew in time. */
  get assignments(): readonly Assignment[] {
    return performance.now() < this.leaseUntil ? this.held : [];
  }

  isAssigned(assignment: Assignment): boolean {
    return (
      performance.now() < this.leaseUntil &&
      this.assigned.get(partitionName(assignment))?.epoch === assignment.epoch
    );
  }

  /** Registers this instance, and the group if it is new. */
  async join(startFrom: 'start' | 'now'): Promise<void> {
    await this.pool.query(JOIN, [this.group, this.topics, startFrom === 'now']);
    await this.pool.query(ENTER, [this.group, this.instance, this.leaseMs / 1000, this.topics]);
    await this.announce();
  }

  /**
   * After a heartbeat that was renewed: takes what is free of our share.
   * @param askedAt when the heartbeat was sent
   * @returns what now belongs to another instance; the caller gives that up with `release` once it is done with it
   */
  async share(beat: GroupBeat, before: readonly Assignment[], askedAt: number): Promise<Assignment[]> {
    this.keep(beat, before);
    this.extend(askedAt);
    const members = [...beat.others, { instance: this.instance, topics: this.topics }];
    members.sort((a, b) => (a.instance < b.instance ? -1 : 1));
    const mine = planAssignment(this.group, members, beat.partitions).get(this.instance) ?? [];
    await this.acquire(mine.filter(each => !this.assigned.has(partitionName(each))));
    const keep = new Set(mine.map(partitionName));
    return this.held.filter(assignment => !keep.has(partitionName(assignment)));
  }

  /** The same for an instance that is about to leave: it takes nothing. */
  renew(beat: GroupBeat, before: readonly Assignment[], askedAt: number): void {
    this.keep(beat, before);
    this.extend(askedAt);
  }

  // Counted from before the queries: our view of the lease must end no later than the database's.
  private extend(askedAt: number): void {
    this.leaseUntil = askedAt + this.leaseMs;
  }

  private keep({ renewed }: GroupBeat, before: readonly Assignment[]): void {
    const kept = new Set(renewed.map(partitionName));
    for (const assignment of before) {
      if (kept.has(partitionName(assignment)) || this.assigned.get(partitionName(assignment)) !== assignment)
        continue;
      this.logger.warn(`${this.group}: lost ${partitionName(assignment)} to another instance`);
      this.assigned.delete(partitionName(assignment));
    }
  }

  private async acquire(wanted: readonly TopicPartition[]): Promise<void> {
    if (wanted.length === 0) return;
    const { rows } = await this.pool.query<Assignment>(ACQUIRE, [
      this.group,
      this.instance,
      this.leaseMs / 1000,
      wanted.map(each => each.topic),
      wanted.map(each => each.partition),
    ]);
    for (const assignment of rows) this.assigned.set(partitionName(assignment), assignment);
  }

  async release(assignment: Assignment): Promise<void> {
    this.assigned.delete(partitionName(assignment));
    const { topic, partition, epoch } = assignment;
    await this.pool.query(RELEASE, [this.group, topic, partition, this.instance, epoch]);
    await this.announce();
  }

  async leave(): Promise<void> {
    await this.pool.query('DELETE FROM member WHERE group_name = $1 AND instance = $2', [
      this.group,
      this.instance,
    ]);
    for (const assignment of this.assigned.values()) await this.release(assignment);
  }

  /** @returns false when a later owner has the partition. */
  async commit({ topic, partition, epoch }: Assignment, position: number): Promise<boolean> {
    const { rows } = await this.pool.query<{ mine: boolean }>({
      name: 'sluice_commit',
      text: 'SELECT commit_position($1, $2, $3, $4, $5, $6) AS mine',
      values: [this.group, topic, partition, this.instance, epoch, position],
    });
    return rows[0]!.mine;
  }

  private async announce(): Promise<void> {
    await this.pool.query('SELECT pg_notify($1, $2)', [REBALANCE, this.group]);
  }
}
