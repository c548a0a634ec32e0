import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import { rankByRendezvous } from '#messaging';
import { REBALANCE } from './schema.js';

/** A partition that this instance has, until its lease runs out or somebody overtakes its epoch. */
export interface Holding {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
  /** Where the group left off when we got it. */
  readonly committed: number;
}

interface Slot {
  readonly topic: string;
  readonly partition: number;
}

const HEARTBEAT = `
INSERT INTO member (group_name, instance, expires_at) VALUES ($1, $2, now() + make_interval(secs => $3))
ON CONFLICT (group_name, instance) DO UPDATE SET expires_at = excluded.expires_at`;

const MEMBERS = 'SELECT instance FROM member WHERE group_name = $1 AND expires_at > now() ORDER BY instance';

const RENEW = `
UPDATE assignment a SET expires_at = now() + make_interval(secs => $3), active_at = now()
FROM unnest($4::text[], $5::int[], $6::bigint[]) AS held(topic, partition, epoch)
WHERE a.group_name = $1 AND a.owner = $2
  AND a.topic = held.topic AND a.partition = held.partition AND a.epoch = held.epoch
RETURNING a.topic, a.partition`;

const ACQUIRE = `
UPDATE assignment a
SET owner = $2, epoch = a.epoch + 1, expires_at = now() + make_interval(secs => $3), active_at = now()
FROM unnest($4::text[], $5::int[]) AS wanted(topic, partition)
WHERE a.group_name = $1 AND a.topic = wanted.topic AND a.partition = wanted.partition
  AND (a.owner IS NULL OR a.owner = $2 OR a.expires_at < now())
RETURNING a.topic, a.partition, a.epoch::float8 AS epoch, a.committed::float8 AS committed`;

const RELEASE = `
UPDATE assignment SET owner = NULL, expires_at = '-infinity'
WHERE group_name = $1 AND topic = $2 AND partition = $3 AND owner = $4 AND epoch = $5`;

const JOIN = `
INSERT INTO assignment (group_name, topic, partition, committed)
SELECT $1, topic, partition, CASE WHEN $3 THEN head ELSE 0 END FROM partition WHERE topic = ANY($2)
ORDER BY topic, partition
ON CONFLICT DO NOTHING`;

/**
 * Shares a group's partitions among its live instances.
 *
 * Each instance works out the same plan from the same list of members and takes what falls to it; the row in
 * `assignment` decides. Every change of owner raises the epoch, and a commit under an old epoch is refused.
 */
export class Membership {
  private readonly logger = new Logger(Membership.name);
  private held = new Map<string, Holding>();
  private leaseUntil = 0;

  constructor(
    private readonly pool: Pool,
    private readonly group: string,
    private readonly topics: readonly string[],
    private readonly instance: string,
    private readonly leaseMs: number,
  ) {}

  /** Three heartbeats fit into a lease. */
  get heartbeatMs(): number {
    return this.leaseMs / 3;
  }

  /** The partitions that are ours at this moment. Empty when we could not renew in time. */
  get holdings(): readonly Holding[] {
    return performance.now() < this.leaseUntil ? [...this.held.values()] : [];
  }

  isHeld(holding: Holding): boolean {
    return performance.now() < this.leaseUntil && this.held.get(keyOf(holding))?.epoch === holding.epoch;
  }

  /** Registers the group, where it is new, and this instance. */
  async join(startFrom: 'start' | 'now'): Promise<void> {
    await this.pool.query(JOIN, [this.group, this.topics, startFrom === 'now']);
    await this.pool.query(HEARTBEAT, [this.group, this.instance, this.leaseMs / 1000]);
    await this.announce();
  }

  /**
   * Renews what we have, takes what falls to us and is free, and names what falls to somebody else now, which
   * the caller gives up with `release` once it is done with it.
   */
  async tick(): Promise<{ surplus: Holding[] }> {
    const askedAt = performance.now();
    await this.keepHeld();
    const mine = await this.plan();
    await this.acquire(mine.filter(slot => !this.held.has(keyOf(slot))));
    // Counted from before the questions: we must think it ended no later than the database does.
    this.leaseUntil = askedAt + this.leaseMs;
    const keep = new Set(mine.map(keyOf));
    return { surplus: [...this.held.values()].filter(holding => !keep.has(keyOf(holding))) };
  }

  /** Renews what we have and takes nothing: for an instance that is about to leave. */
  async renew(): Promise<void> {
    const askedAt = performance.now();
    await this.keepHeld();
    this.leaseUntil = askedAt + this.leaseMs;
  }

  private async keepHeld(): Promise<void> {
    const seconds = this.leaseMs / 1000;
    await this.pool.query(HEARTBEAT, [this.group, this.instance, seconds]);
    const held = [...this.held.values()];
    const { rows } = await this.pool.query<Slot>(RENEW, [
      this.group,
      this.instance,
      seconds,
      held.map(each => each.topic),
      held.map(each => each.partition),
      held.map(each => each.epoch),
    ]);
    const kept = new Set(rows.map(keyOf));
    for (const holding of held) {
      if (kept.has(keyOf(holding)) || this.held.get(keyOf(holding)) !== holding) continue;
      this.logger.warn(`${this.group}: lost ${keyOf(holding)} to another instance`);
      this.held.delete(keyOf(holding));
    }
  }

  private async acquire(wanted: readonly Slot[]): Promise<void> {
    if (wanted.length === 0) return;
    const { rows } = await this.pool.query<Holding>(ACQUIRE, [
      this.group,
      this.instance,
      this.leaseMs / 1000,
      wanted.map(each => each.topic),
      wanted.map(each => each.partition),
    ]);
    for (const holding of rows) this.held.set(keyOf(holding), holding);
  }

  async release(holding: Holding): Promise<void> {
    this.held.delete(keyOf(holding));
    const { topic, partition, epoch } = holding;
    await this.pool.query(RELEASE, [this.group, topic, partition, this.instance, epoch]);
    await this.announce();
  }

  async leave(): Promise<void> {
    await this.pool.query('DELETE FROM member WHERE group_name = $1 AND instance = $2', [
      this.group,
      this.instance,
    ]);
    for (const holding of this.held.values()) await this.release(holding);
  }

  /** @returns false when a later owner has the partition. */
  async commit({ topic, partition, epoch }: Holding, position: number): Promise<boolean> {
    const { rows } = await this.pool.query<{ mine: boolean }>({
      name: 'sluice_commit',
      text: 'SELECT commit_position($1, $2, $3, $4, $5, $6) AS mine',
      values: [this.group, topic, partition, this.instance, epoch, position],
    });
    return rows[0]!.mine;
  }

  // Rendezvous hashing, with no instance given more than its share while another has less.
  private async plan(): Promise<Slot[]> {
    const { rows } = await this.pool.query<{ instance: string }>(MEMBERS, [this.group]);
    const members = rows.map(row => row.instance);
    const { rows: slots } = await this.pool.query<Slot>(
      'SELECT topic, partition FROM assignment WHERE group_name = $1 AND topic = ANY($2) ORDER BY topic, partition',
      [this.group, this.topics],
    );
    const share = Math.ceil(slots.length / Math.max(members.length, 1));
    const load = new Map<string, number>();
    return slots.filter(slot => {
      const ranked = rankByRendezvous(`${this.group}|${keyOf(slot)}`, members);
      const owner = ranked.find(member => (load.get(member) ?? 0) < share);
      if (owner !== undefined) load.set(owner, (load.get(owner) ?? 0) + 1);
      return owner === this.instance;
    });
  }

  private async announce(): Promise<void> {
    await this.pool.query('SELECT pg_notify($1, $2)', [REBALANCE, this.group]);
  }
}

function keyOf({ topic, partition }: Slot): string {
  return `${topic}/${partition}`;
}
