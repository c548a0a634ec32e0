import type { EntityManager } from 'typeorm';
import type { Place } from './place.js';

/** What a message counts as. */
export type Outcome = 'handled' | 'parked' | 'dead' | 'discarded';

/**
 * What became of parked messages. It is a row of its own, not an update of the progress row: a consumer
 * holds that row locked while its handler may wait for a lock that the retrier's handler holds.
 */
const NOTE = `
INSERT INTO messaging.outcome (subscription, topic, partition, was, became, count) VALUES ($1, $2, $3, $4, $5, $6)`;

/** Moves messages of the partition from one count to another. */
export async function noteOutcome(
  tx: EntityManager,
  { subscription, topic, partition }: Omit<Place, 'position'>,
  was: Outcome,
  became: Outcome,
  count = 1,
): Promise<void> {
  await tx.query(NOTE, [subscription, topic, partition, was, became, count]);
}
