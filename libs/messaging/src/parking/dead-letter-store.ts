import type { DataSource, EntityManager } from 'typeorm';
import { Header } from '../message/envelope.js';
import type { ReceivedMessage } from '../message/received-message.js';
import { uuidv7 } from '../message/uuid-v7.js';
import { columnsOf, type Place, valuesOf } from './place.js';
import { type FailedAttempt, failedAttempt } from './retry-policy.js';

/** The store of dead letters: messages given up, each with everything it came with. */

/**
 * `invalid`: it does not fit its contract. `failed`: its handler failed at every attempt. `refused`: the queue does not
 * take it, so it was never sent.
 */
export type DeathReason = 'invalid' | 'failed' | 'refused';
export type DeadLetterStatus = 'dead' | 'replayed' | 'discarded';

const BURY = `
INSERT INTO messaging.dead_letter
  (id, subscription, topic, partition, position, key, headers, payload, appended_at, reason, errors, holds_key)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $11, $10::jsonb, $12)`;

/**
 * Gives up a message without trying it: no retry can make it fit its contract, or the queue take it. If it holds its
 * key, the caller must park it as held.
 */
export async function bury(
  tx: EntityManager,
  place: Place,
  message: ReceivedMessage,
  problem: unknown,
  { reason = 'invalid', holdsKey = false }: { reason?: DeathReason; holdsKey?: boolean } = {},
): Promise<void> {
  const errors = JSON.stringify([failedAttempt(problem)]);
  await tx.query(BURY, [uuidv7(), ...valuesOf(place), ...columnsOf(message), errors, reason, holdsKey]);
}

/** A letter that was replayed and fails again stays the same letter. */
const BURY_PARKED = `
INSERT INTO messaging.dead_letter
  (id, subscription, topic, partition, position, key, headers, payload, appended_at, reason, errors, holds_key)
SELECT $5::uuid, subscription, topic, partition, position, key, headers, payload, appended_at, $7, errors, $6
FROM messaging.parked WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = $4
ON CONFLICT (subscription, topic, partition, position) DO UPDATE
SET status = 'dead', reason = excluded.reason, errors = excluded.errors, holds_key = excluded.holds_key, dead_at = now(),
    decided_at = NULL, decided_by = NULL, note = NULL`;

/** Gives up a parked message. The caller must unpark it, or hold it with its key. */
export async function buryParked(
  tx: EntityManager,
  place: Place,
  reason: DeathReason,
  holdsKey: boolean,
): Promise<void> {
  await tx.query(BURY_PARKED, [...valuesOf(place), uuidv7(), holdsKey, reason]);
}

const COLUMNS = `id, subscription, topic, partition, position::float8 AS position, key, headers,
       encode(payload, 'base64') AS payload, appended_at, reason, errors, holds_key, dead_at, status, decided_at,
       decided_by, note`;

/**
 * Headers are matched as stored text: those of a foreign producer may not be valid JSON for PostgreSQL. $2 to
 * $10 are a filter; null means no condition.
 */
const FITS = `
($2::text IS NULL OR subscription = $2) AND ($3::text IS NULL OR position($3 IN headers) > 0)
AND ($4::text IS NULL OR key = $4) AND ($5::text IS NULL OR reason = $5)
AND ($6::text IS NULL OR EXISTS (
  SELECT FROM jsonb_array_elements(errors) AS attempt WHERE position(lower($6) IN lower(attempt ->> 'error')) > 0))
AND ($7::text IS NULL OR position(convert_to($7, 'UTF8') IN payload) > 0)
AND ($8::text IS NULL OR position($8 IN headers) > 0)
AND ($9::timestamptz IS NULL OR dead_at >= $9) AND ($10::timestamptz IS NULL OR dead_at <= $10)`;

/** The criteria that letters are found by; all that are given must match. */
export interface LetterFilter {
  readonly subscription?: string | undefined;
  readonly type?: string | undefined;
  readonly key?: string | undefined;
  readonly reason?: DeathReason | undefined;
  /** Part of an attempt's error, case-insensitive. */
  readonly error?: string | undefined;
  /** Part of the payload. */
  readonly contains?: string | undefined;
  readonly traceId?: string | undefined;
  /** When it died: from and up to, inclusive. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

function filterValues(filter: LetterFilter): unknown[] {
  const { subscription, type, key, reason, error, contains, traceId, since, until } = filter;
  const header = type === undefined ? null : `"${Header.type}":${JSON.stringify(type)}`;
  const trace = traceId === undefined ? null : `"${Header.traceparent}":"00-${traceId}-`;
  const asked = [subscription, header, key, reason, error, contains, trace, since, until];
  return asked.map(value => value ?? null);
}

export interface LetterRow extends Place {
  readonly id: string;
  readonly key: string;
  /** JSON. */
  readonly headers: string;
  /** Base64. */
  readonly payload: string;
  readonly appended_at: Date;
  readonly reason: DeathReason;
  readonly errors: FailedAttempt[];
  readonly holds_key: boolean;
  readonly dead_at: Date;
  readonly status: DeadLetterStatus;
  readonly decided_at: Date | null;
  readonly decided_by: string | null;
  readonly note: string | null;
}

const LIST = `
SELECT ${COLUMNS} FROM messaging.dead_letter
WHERE status = $11 AND ${FITS} AND ($12::timestamptz IS NULL OR (dead_at, id) < ($12, $13::uuid))
ORDER BY dead_at DESC, id DESC LIMIT $1`;

export interface LetterPage {
  readonly limit: number;
  readonly status: DeadLetterStatus;
  readonly filter: LetterFilter;
  /** Only those older than this one. */
  readonly after?: { readonly deadAt: string; readonly id: string } | undefined;
}

/** The newest first. */
export async function listLetters(
  database: DataSource,
  { limit, status, filter, after }: LetterPage,
): Promise<LetterRow[]> {
  const page = [status, after?.deadAt ?? null, after?.id ?? null];
  return database.query(LIST, [limit, ...filterValues(filter), ...page]);
}

const GET = `SELECT ${COLUMNS} FROM messaging.dead_letter WHERE id = $1`;

export async function getLetter(database: DataSource, id: string): Promise<LetterRow | undefined> {
  const [row] = (await database.query(GET, [id])) as LetterRow[];
  return row;
}

const FIND_UNDECIDED = `
SELECT id FROM messaging.dead_letter WHERE status = 'dead' AND ${FITS} AND dead_at <= $11
ORDER BY subscription, topic, partition, position LIMIT $1 OFFSET $12`;

/** Undecided letters that died up to a moment, in the order in which they were appended. */
export async function findUndecided(
  database: DataSource,
  filter: LetterFilter,
  diedBefore: string,
  page: { readonly limit: number; readonly skip: number },
): Promise<string[]> {
  const values = [page.limit, ...filterValues(filter), diedBefore, page.skip];
  const rows = (await database.query(FIND_UNDECIDED, values)) as { id: string }[];
  return rows.map(({ id }) => id);
}

const NOW = 'SELECT now()::timestamptz(3) AS now';

/** The current time by the database's clock, by which letters count as dead. */
export async function letterClock(database: DataSource): Promise<string> {
  const [{ now }] = (await database.query(NOW)) as [{ now: Date }];
  return now.toISOString();
}

const DECIDE = `
UPDATE messaging.dead_letter SET status = $2, decided_at = now(), decided_by = $3, note = $4
WHERE id = $1 AND status = 'dead'
RETURNING subscription, topic, partition, position::float8 AS position, key, holds_key, reason, headers`;

export type DecidedLetter = Pick<
  LetterRow,
  'subscription' | 'topic' | 'partition' | 'position' | 'key' | 'holds_key' | 'reason' | 'headers'
>;

/** Decides on a letter. @returns undefined if there is no undecided letter with this id */
export async function decideOnLetter(
  tx: EntityManager,
  id: string,
  status: Exclude<DeadLetterStatus, 'dead'>,
  by: string,
  note: string | null,
): Promise<DecidedLetter | undefined> {
  const [[letter]] = (await tx.query(DECIDE, [id, status, by, note])) as [DecidedLetter[]];
  return letter;
}

/** Undecided letters by subscription. */
export const UNDECIDED = `
SELECT subscription, count(*)::int AS count FROM messaging.dead_letter WHERE status = 'dead' GROUP BY subscription`;

export interface UndecidedRow {
  readonly subscription: string;
  readonly count: number;
}
