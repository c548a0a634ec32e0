import type { EntityManager } from 'typeorm';
import type { TopicPartition } from '../message/received-message.js';

/** A subscription's progress in each partition, and the outcomes of what it has settled. */

/** What became of the messages of one batch. */
export interface BatchCounts {
  readonly handled: number;
  readonly skipped: number;
  readonly duplicate: number;
  readonly parked: number;
  readonly dead: number;
  /** Messages that the queue no longer had. */
  readonly lost: number;
}

const ADVANCE = `
UPDATE messaging.consumer_progress
SET position = $4, handled = handled + $5, skipped = skipped + $6, duplicate = duplicate + $7, parked = parked + $8,
    dead = dead + $9, lost = lost + $10, lost_at = CASE WHEN $10 > 0 THEN now() ELSE lost_at END
WHERE subscription = $1 AND topic = $2 AND partition = $3`;

/** Settles everything up to a position, in the batch's transaction, which has locked the row. */
export async function advanceProgress(
  tx: EntityManager,
  subscription: string,
  { topic, partition }: TopicPartition,
  position: number,
  { handled, skipped, duplicate, parked, dead, lost }: BatchCounts,
): Promise<void> {
  const counts = [handled, skipped, duplicate, parked, dead, lost];
  await tx.query(ADVANCE, [subscription, topic, partition, position, ...counts]);
}

const LOCK = `
SELECT 1 FROM messaging.consumer_progress
WHERE subscription = $1 AND topic = $2 AND partition = $3 FOR UPDATE`;

/**
 * Waits until no consumer is working on a batch of the partition, and blocks new ones until the transaction
 * ends.
 */
export async function lockProgress(
  tx: EntityManager,
  subscription: string,
  { topic, partition }: TopicPartition,
): Promise<void> {
  await tx.query(LOCK, [subscription, topic, partition]);
}

/**
 * A subscription's counts over all its partitions. Messages that were parked count by their current state.
 */
export interface Progress extends BatchCounts {
  readonly discarded: number;
  /** Those of `lost` whose partition lost any within a day. */
  readonly lostToday: number;
  /** The last position settled, by partition. */
  readonly positions: Readonly<Record<string, number>>;
  /** Positions settled since it began. */
  readonly settled: number;
  /** Positions before it began. */
  readonly startedAt: number;
}

/** The progress of every subscription. */
export const PROGRESS = `
SELECT subscription, sum(position - started_at)::float8 AS settled, sum(started_at)::float8 AS "startedAt",
       sum(handled)::float8 AS handled, sum(skipped)::float8 AS skipped,
       sum(duplicate)::float8 AS duplicate, sum(parked)::float8 AS parked,
       sum(dead)::float8 AS dead, sum(discarded)::float8 AS discarded, sum(lost)::float8 AS lost,
       coalesce(sum(lost) FILTER (WHERE lost_at > now() - interval '1 day'), 0)::float8 AS "lostToday",
       json_object_agg(topic || '/' || partition, position) AS positions
FROM messaging.progress GROUP BY subscription`;

const NONE: Progress = {
  settled: 0,
  startedAt: 0,
  handled: 0,
  skipped: 0,
  duplicate: 0,
  parked: 0,
  dead: 0,
  discarded: 0,
  lost: 0,
  lostToday: 0,
  positions: {},
};

export interface ProgressRow extends Progress {
  readonly subscription: string;
}

/** @returns the progress of any subscription; zeros for one that has settled nothing */
export function progressOf(rows: readonly ProgressRow[]): (subscription: string) => Progress {
  const bySubscription = new Map(rows.map(({ subscription, ...progress }) => [subscription, progress]));
  return subscription => bySubscription.get(subscription) ?? NONE;
}
