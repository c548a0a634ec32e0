import type { EntityManager } from 'typeorm';
import type { ReceivedMessage, TopicPartition } from '../message/received-message.js';
import { advanceKey, block, type BlockedKey, dueNow, keyValues } from './blocked-keys.js';
import { noteOutcome } from './outcome.js';
import { columnsOf, type Place, storable, valuesOf } from './place.js';
import type { FailedAttempt } from './retry-policy.js';

/**
 * The store of parked messages: those whose handler failed, and those of the same key that came after them, in the
 * order of their positions. The first ones of a key are tried again when it is due; the others wait for them.
 */

/** A message taken out to be tried again. */
export interface ParkedMessage {
  readonly place: Place;
  readonly message: ReceivedMessage;
  /** Failed attempts so far. */
  readonly attempts: number;
}

/** A failed attempt, and the pause before the next one. */
export interface Failure {
  readonly attempt: FailedAttempt;
  readonly pauseMs: number;
}

/** A message to park. Without a failure it lines up behind the parked ones of its key and is due right after them. */
export interface ToPark {
  readonly message: ReceivedMessage;
  readonly failure: Failure | undefined;
  /** Its key waits until an operator has decided on its dead letter. */
  readonly held?: boolean;
}

const PARK = `
INSERT INTO messaging.parked
  (subscription, topic, partition, position, key, headers, payload, appended_at, attempts, errors, due_at, held)
SELECT $1, $2, $3, position, key, headers, payload, appended_at, attempts, errors,
       now() + make_interval(secs => pause), held
FROM unnest($4::bigint[], $5::text[], $6::text[], $7::bytea[], $8::timestamptz[], $9::int[], $10::jsonb[], $11::float8[],
            $12::boolean[])
     AS m(position, key, headers, payload, appended_at, attempts, errors, pause, held)`;

/** Parks messages of a partition, and blocks the keys of those that have failed. */
export async function park(
  tx: EntityManager,
  subscription: string,
  { topic, partition }: TopicPartition,
  messages: readonly ToPark[],
): Promise<void> {
  for (const { message, failure, held = false } of messages)
    if (failure !== undefined || held)
      await block(tx, subscription, topic, [storable(message.key)], failure?.pauseMs ?? 0);
  const columns = messages.map(({ message }) => [message.position, ...columnsOf(message)]);
  await tx.query(PARK, [
    subscription,
    topic,
    partition,
    ...[0, 1, 2, 3, 4].map(index => columns.map(row => row[index])),
    messages.map(({ failure }) => (failure === undefined ? 0 : 1)),
    messages.map(({ failure }) => JSON.stringify(failure === undefined ? [] : [failure.attempt])),
    messages.map(({ failure }) => (failure?.pauseMs ?? 0) / 1_000),
    messages.map(({ held = false }) => held),
  ]);
}

const COUNT = `
SELECT count(*)::int AS count FROM (SELECT FROM messaging.parked WHERE subscription = $1 LIMIT $2) AS first`;

/** @returns how many messages the subscription has parked, `most` if there are more */
export async function countParked(tx: EntityManager, subscription: string, most: number): Promise<number> {
  const [{ count }] = (await tx.query(COUNT, [subscription, most])) as [{ count: number }];
  return count;
}

const FIRST = `
SELECT topic, partition, position::float8 AS position, key, headers, payload, appended_at, attempts, held
FROM messaging.parked WHERE subscription = $1 AND topic = $2 AND key = $3 ORDER BY position LIMIT $4`;

interface ParkedRow extends Omit<Place, 'subscription'> {
  readonly key: string;
  /** JSON. */
  readonly headers: string;
  readonly payload: Buffer;
  readonly appended_at: Date;
  readonly attempts: number;
  readonly held: boolean;
}

/**
 * The first messages of a key that can be tried together: none that an operator is to decide on, and one that has
 * failed before only by itself.
 */
export async function firstOfKey(tx: EntityManager, key: BlockedKey, most: number): Promise<ParkedMessage[]> {
  const rows = (await tx.query(FIRST, [...keyValues(key), most])) as ParkedRow[];
  const [first] = rows;
  const end = rows.findIndex(
    ({ held, attempts, partition }, at) =>
      held || (at > 0 && (attempts > 0 || first!.attempts > 0 || partition !== first!.partition)),
  );
  return rows.slice(0, end === -1 ? undefined : end).map(row => ({
    place: {
      subscription: key.subscription,
      topic: row.topic,
      partition: row.partition,
      position: row.position,
    },
    message: {
      topic: row.topic,
      position: row.position,
      key: row.key,
      headers: JSON.parse(row.headers) as ReceivedMessage['headers'],
      payload: row.payload,
      appendedAt: row.appended_at,
    },
    attempts: row.attempts,
  }));
}

const UNPARK = `
DELETE FROM messaging.parked WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = ANY($4)`;

/** Removes messages of one partition that are parked no longer. */
export async function unpark(
  tx: EntityManager,
  { subscription, topic, partition }: Omit<Place, 'position'>,
  positions: readonly number[],
  became: 'handled' | 'dead' | 'discarded',
): Promise<void> {
  await tx.query(UNPARK, [subscription, topic, partition, positions]);
  await noteOutcome(tx, { subscription, topic, partition }, 'parked', became, positions.length);
}

/** Most errors stored for one message; beyond that the oldest are dropped. */
const ERRORS_KEPT = 20;

const NOTE_FAILURE = `
UPDATE messaging.parked
SET attempts = attempts + 1, due_at = now() + make_interval(secs => $6),
    errors = CASE WHEN jsonb_array_length(errors) >= ${ERRORS_KEPT} THEN errors - 0 ELSE errors END || $5::jsonb
WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = $4 RETURNING attempts`;

/** Counts a failed attempt. @returns the attempts so far; undefined if the message is no longer parked */
export async function noteFailure(
  tx: EntityManager,
  place: Place,
  { attempt, pauseMs }: Failure,
): Promise<number | undefined> {
  const values = [...valuesOf(place), JSON.stringify(attempt), pauseMs / 1_000];
  const [[noted]] = (await tx.query(NOTE_FAILURE, values)) as [{ attempts: number }[]];
  return noted?.attempts;
}

const POSTPONE = `
UPDATE messaging.parked SET due_at = now() + make_interval(secs => $5)
WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = $4`;

/** For an outage, not a failure: the message is retried later, and no attempt is counted. */
export async function postpone(tx: EntityManager, place: Place, pauseMs: number): Promise<void> {
  await tx.query(POSTPONE, [...valuesOf(place), pauseMs / 1_000]);
}

const HOLD = `
UPDATE messaging.parked SET held = true
WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = $4`;

/** Keeps the message parked and its key waiting until an operator decides on its dead letter. */
export async function hold(tx: EntityManager, place: Place): Promise<void> {
  await tx.query(HOLD, [...valuesOf(place)]);
}

/** A place in its key. */
type Keyed = Place & BlockedKey;

const RELEASE = `
UPDATE messaging.parked SET held = false, attempts = 0, due_at = now()
WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = $4`;

/** Releases a held message, to be tried as if for the first time. */
export async function release(tx: EntityManager, held: Keyed): Promise<void> {
  await tx.query(RELEASE, [...valuesOf(held)]);
  await advanceKey(tx, held);
}

/** Gives up a held message for good: its key goes on. */
export async function discardHeld(tx: EntityManager, held: Keyed): Promise<void> {
  await unpark(tx, held, [held.position], 'discarded');
  await advanceKey(tx, held);
}

const REPARK = `
INSERT INTO messaging.parked (subscription, topic, partition, position, key, headers, payload, appended_at)
SELECT subscription, topic, partition, position, key, headers, payload, appended_at
FROM messaging.dead_letter WHERE id = $1`;

/** Puts a dead letter back among the parked messages, at its place in its key, due now. */
export async function repark(tx: EntityManager, deadLetterId: string, letter: Keyed): Promise<void> {
  await block(tx, letter.subscription, letter.topic, [letter.key], 0);
  await tx.query(REPARK, [deadLetterId]);
  await dueNow(tx, letter);
  await noteOutcome(tx, letter, 'dead', 'parked');
}
