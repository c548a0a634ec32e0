import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import { BackgroundTask, type TopicPartition, untilNext } from '#messaging';
import { PACE } from './limits.js';
import type { Assignment, GroupBeat, Membership } from './membership.js';
import type { Member } from './plan-assignment.js';

/** What follows a heartbeat in a subscription. It must not throw. */
export interface Beating {
  readonly membership: Membership;
  /** @param before what it held when the heartbeat was sent, at `askedAt` */
  renewed(beat: GroupBeat, before: readonly Assignment[], askedAt: number): Promise<void>;
  /** The heartbeat did not get through. */
  missed(): void;
}

/**
 * Renews what an instance is and has in all of its groups, and reads who else is there. A crash of the server may lose
 * the renewal, so nothing waits for the disk: epochs, and not leases, keep a former owner out.
 */
const BEAT = `
WITH entered AS (
  INSERT INTO member (group_name, instance, expires_at, topics)
  SELECT name, $1, now() + make_interval(secs => $2), array(SELECT json_array_elements_text(topics))
  FROM unnest($3::text[], $4::json[]) AS mine(name, topics) ORDER BY name
  ON CONFLICT (group_name, instance) DO UPDATE SET expires_at = excluded.expires_at, topics = excluded.topics
), renewed AS (
  UPDATE assignment a SET expires_at = now() + make_interval(secs => $2), active_at = now()
  FROM unnest($5::text[], $6::text[], $7::int[], $8::bigint[]) AS held(group_name, topic, partition, epoch)
  WHERE a.owner = $1 AND a.group_name = held.group_name
    AND a.topic = held.topic AND a.partition = held.partition AND a.epoch = held.epoch
  RETURNING a.group_name, a.topic, a.partition
)
SELECT set_config('synchronous_commit', 'off', true),
       (SELECT json_agg(renewed) FROM renewed) AS renewed,
       (SELECT json_agg(m) FROM (
          SELECT group_name, instance, topics FROM member
          WHERE group_name = ANY($3) AND instance <> $1 AND expires_at > now()) AS m) AS others,
       (SELECT json_agg(p) FROM (
          SELECT group_name, topic, partition FROM assignment
          WHERE group_name = ANY($3) ORDER BY group_name, topic, partition) AS p) AS partitions`;

interface InGroup {
  readonly group_name: string;
}

interface Seen {
  readonly renewed: readonly (TopicPartition & InGroup)[] | null;
  readonly others: readonly (Member & InGroup)[] | null;
  readonly partitions: readonly (TopicPartition & InGroup)[] | null;
}

/** The heartbeats of an instance: one statement for all of its groups. */
export class Heartbeats {
  private readonly logger = new Logger(Heartbeats.name);
  private readonly beating = new Set<Beating>();
  private readonly task: BackgroundTask;
  private underWay: Promise<void> = Promise.resolve();

  constructor(
    private readonly pool: Pool,
    private readonly instance: string,
    private readonly leaseMs: number,
  ) {
    // Two heartbeats fit into a lease, and between them a retry of one that failed.
    const everyMs = leaseMs / 2;
    const turn = async () => {
      const beat = this.beat([...this.beating]);
      this.underWay = beat.then(() => undefined);
      return (await beat) ? untilNext(everyMs) : PACE.retryMs;
    };
    const onError = (error: unknown) => this.logger.error(String(error));
    this.task = new BackgroundTask(turn, { backoff: { firstMs: everyMs, longestMs: everyMs }, onError });
  }

  /** One heartbeat now, then one after the other. */
  async add(each: Beating): Promise<void> {
    await this.beat([each]);
    this.beating.add(each);
    this.task.start();
    // What changed meanwhile was not told to it.
    this.wake();
  }

  /** The members or the leases changed. */
  wake(): void {
    this.task.wake();
  }

  /** No heartbeat reaches it any more once this resolves. */
  async remove(each: Beating): Promise<void> {
    this.beating.delete(each);
    await this.underWay;
  }

  async stop(): Promise<void> {
    await this.task.stop();
  }

  /** @returns whether it got through */
  private async beat(all: readonly Beating[]): Promise<boolean> {
    if (all.length === 0) return true;
    const askedAt = performance.now();
    const before = new Map(all.map(each => [each, each.membership.held]));
    const held = all.flatMap(each =>
      before.get(each)!.map(assignment => ({ group: each.membership.group, ...assignment })),
    );
    try {
      const statement = {
        name: 'sluice_beat',
        text: BEAT,
        // On a connection that has silently died it must not cost the lease.
        query_timeout: this.leaseMs / 3,
        values: [
          this.instance,
          this.leaseMs / 1_000,
          all.map(({ membership }) => membership.group),
          all.map(({ membership }) => JSON.stringify(membership.topics)),
          held.map(({ group }) => group),
          held.map(({ topic }) => topic),
          held.map(({ partition }) => partition),
          held.map(({ epoch }) => epoch),
        ],
      };
      const { rows } = await this.pool.query<Seen>(statement);
      await Promise.all(
        all.map(each => each.renewed(beatOf(each.membership.group, rows[0]!), before.get(each)!, askedAt)),
      );
    } catch (error) {
      this.logger.warn(`heartbeat failed: ${String(error)}`);
      for (const each of all) each.missed();
      return false;
    }
    return true;
  }
}

function beatOf(group: string, { renewed, others, partitions }: Seen): GroupBeat {
  const ofGroup = <T extends InGroup>(rows: readonly T[] | null) =>
    (rows ?? []).filter(({ group_name }) => group_name === group);
  return { renewed: ofGroup(renewed), others: ofGroup(others), partitions: ofGroup(partitions) };
}
