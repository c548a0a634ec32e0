import type { EntityManager } from 'typeorm';
import type { Place } from './place.js';

/** What a message counts as. */
export type Outcome = 'handled' | 'parked' | 'dead' | 'discarded';

/**
 * What became of a parked message. It is a row of its own, not an update of the progress row: a consumer
 * holds that row locked while its handler may wait for a lock that the retrier's handler holds.
 */
const NOTE = `
INSERT INTO messaging.outcome (subscription, topic, partition, was, became) VALUES ($1, $2, $3, $4, $5)`;

/** Moves one message of the partition from one count to another. */
export async function noteOutcome(
  tx: EntityManager,
  { subscription, topic, partition }: Place,
  was: Outcome,
  became: Outcome,
): Promise<void> {
  await tx.query(NOTE, [subscription, topic, partition, was, became]);
}
