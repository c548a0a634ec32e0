import type { DataSource, EntityManager } from 'typeorm';
import type { ReceivedMessage } from '../message/received-message.js';
import { noteOutcome } from './outcome.js';
import { columnsOf, type Place, valuesOf } from './place.js';
import type { FailedAttempt } from './retry-policy.js';

/**
 * The store of parked messages: those whose handler failed, and those of the same key that came after them, in the
 * order of their positions. The first of a key is tried again when it is due; the others wait for it.
 */

/** A message taken out to be tried again. */
export interface ParkedMessage {
  readonly place: Place;
  readonly message: ReceivedMessage;
  /** Failed attempts so far. */
  readonly attempts: number;
  /** Whether the attempt before this one left no result: the process ended meanwhile. */
  readonly unfinished: boolean;
}

/** A failed attempt, and the pause before the next one. */
export interface Failure {
  readonly attempt: FailedAttempt;
  readonly pauseMs: number;
}

const PARK = `
INSERT INTO messaging.parked (subscription, topic, partition, position, key, headers, payload, appended_at, attempts, errors, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, now() + make_interval(secs => $11))`;

/**
 * Parks a message. Without a failure it lines up behind the parked ones of its key and is due right after
 * them.
 */
export async function park(
  tx: EntityManager,
  place: Place,
  message: ReceivedMessage,
  failure: Failure | undefined,
): Promise<void> {
  const attempts =
    failure === undefined ? [0, '[]', 0] : [1, JSON.stringify([failure.attempt]), failure.pauseMs / 1_000];
  await tx.query(PARK, [...valuesOf(place), ...columnsOf(message), ...attempts]);
}

const COUNT = 'SELECT count(*)::int AS count FROM messaging.parked WHERE subscription = $1';

export async function countParked(tx: EntityManager, subscription: string): Promise<number> {
  const [{ count }] = (await tx.query(COUNT, [subscription])) as [{ count: number }];
  return count;
}

/** A message is not the first of its key until the removal of the one before it is committed. */
const IS_FIRST = `
NOT p.held AND NOT EXISTS (
  SELECT FROM messaging.parked before
  WHERE before.subscription = p.subscription AND before.topic = p.topic AND before.key = p.key
    AND before.position < p.position)
AND NOT EXISTS (SELECT FROM messaging.paused WHERE subscription = p.subscription)`;

/** How long a claimed message is left to the instance that claimed it before that must have locked it, in s. */
const CLAIM_S = 5;

const CLAIM = `
WITH next AS (
  SELECT p.subscription, p.topic, p.partition, p.position, p.trying FROM messaging.parked p
  WHERE p.subscription = $1 AND p.due_at <= now() AND ${IS_FIRST}
  ORDER BY p.due_at, p.position LIMIT 1 FOR UPDATE OF p SKIP LOCKED
)
UPDATE messaging.parked p SET trying = true, due_at = now() + make_interval(secs => ${CLAIM_S}) FROM next
WHERE p.subscription = next.subscription AND p.topic = next.topic AND p.partition = next.partition
  AND p.position = next.position
RETURNING p.topic, p.partition, p.position::float8 AS position, p.key, p.headers, p.payload, p.appended_at,
          p.attempts, next.trying AS unfinished`;

interface ParkedRow extends Omit<Place, 'subscription'> {
  readonly key: string;
  /** JSON. */
  readonly headers: string;
  readonly payload: Buffer;
  readonly appended_at: Date;
  readonly attempts: number;
  readonly unfinished: boolean;
}

/**
 * Claims the next message to retry, and records that it is about to be tried: if its handler ends the process, that
 * is what is left of the attempt. A message that another instance has claimed or locked is skipped. While the
 * subscription is paused there is none.
 */
export async function claim(database: DataSource, subscription: string): Promise<ParkedMessage | undefined> {
  const [[row]] = (await database.query(CLAIM, [subscription])) as [ParkedRow[]];
  if (row === undefined) return undefined;
  const { topic, partition, position, key, payload, attempts, unfinished } = row;
  const headers = JSON.parse(row.headers) as ReceivedMessage['headers'];
  return {
    place: { subscription, topic, partition, position },
    message: { topic, position, key, headers, payload, appendedAt: row.appended_at },
    attempts,
    unfinished,
  };
}

const LOCK = `
SELECT 1 FROM messaging.parked p
WHERE p.subscription = $1 AND p.topic = $2 AND p.partition = $3 AND p.position = $4 AND p.trying AND ${IS_FIRST}
FOR UPDATE OF p SKIP LOCKED`;

/** Locks a claimed message until the transaction ends. @returns false when it is not to be tried any more */
export async function lock(tx: EntityManager, place: Place): Promise<boolean> {
  return ((await tx.query(LOCK, [...valuesOf(place)])) as unknown[]).length > 0;
}

const RETURN = `
UPDATE messaging.parked SET trying = false, due_at = now()
WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = $4 AND trying`;

/** Gives a claimed message back that was not tried. */
export async function giveBack(database: DataSource, place: Place): Promise<void> {
  await database.query(RETURN, [...valuesOf(place)]);
}

const LOCK_KEY =
  'SELECT pg_advisory_xact_lock(hashtextextended(concat_ws(chr(31), $1::text, $2::text, $3::text), 1))';

/**
 * Handles one message of a key at a time, across instances: a replay can put one before another in progress.
 */
export async function lockKey(tx: EntityManager, { place, message }: ParkedMessage): Promise<void> {
  await tx.query(LOCK_KEY, [place.subscription, place.topic, message.key]);
}

const UNPARK =
  'DELETE FROM messaging.parked WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = $4';

/** Ends the parking of a message: its key goes on. */
export async function unpark(
  tx: EntityManager,
  place: Place,
  became: 'handled' | 'dead' | 'discarded',
): Promise<void> {
  await tx.query(UNPARK, [...valuesOf(place)]);
  await noteOutcome(tx, place, 'parked', became);
}

/** Most errors stored for one message; beyond that the oldest are dropped. */
const ERRORS_KEPT = 20;

const NOTE_FAILURE = `
UPDATE messaging.parked
SET attempts = attempts + 1, trying = false, due_at = now() + make_interval(secs => $6),
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
UPDATE messaging.parked SET trying = false, due_at = now() + make_interval(secs => $5)
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

const RELEASE = `
UPDATE messaging.parked SET held = false, trying = false, attempts = 0, due_at = now()
WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = $4`;

/** Releases a held message, to be tried as if for the first time. */
export async function release(tx: EntityManager, place: Place): Promise<void> {
  await tx.query(RELEASE, [...valuesOf(place)]);
}

const REPARK = `
INSERT INTO messaging.parked (subscription, topic, partition, position, key, headers, payload, appended_at)
SELECT subscription, topic, partition, position, key, headers, payload, appended_at
FROM messaging.dead_letter WHERE id = $1`;

/** Puts a dead letter back among the parked messages, at its place in its key, due now. */
export async function repark(tx: EntityManager, deadLetterId: string, place: Place): Promise<void> {
  await tx.query(REPARK, [deadLetterId]);
  await noteOutcome(tx, place, 'dead', 'parked');
}
