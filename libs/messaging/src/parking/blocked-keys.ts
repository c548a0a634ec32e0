import type { DataSource, EntityManager } from 'typeorm';
import { leave } from '../runtime/work-signals.js';

/**
 * The keys that have parked messages, a row each. It says when the key's first message is due. Whoever parks a message
 * holds the row with a shared lock until the transaction ends, and whoever unblocks the key needs it alone: a message is
 * never left behind without its key, and none is handled before an earlier one of its key.
 */
export interface BlockedKey {
  readonly subscription: string;
  readonly topic: string;
  readonly key: string;
}

/** A key whose first messages are about to be tried. */
export interface ClaimedKey extends BlockedKey {
  /** Most messages to try at once. */
  readonly size: number;
  /** How many were tried in an attempt that left no result: the process ended meanwhile. */
  readonly unfinished: number;
}

/** The key as parameters of the statements: $1 to $3. */
export function keyValues({ subscription, topic, key }: BlockedKey): readonly unknown[] {
  return [subscription, topic, key];
}

const BLOCK = 'SELECT messaging.block_keys($1, $2, $3, now() + make_interval(secs => $4))';

/** Blocks keys, in the transaction that parks messages of them. A key that is blocked already stays as it is. */
export async function block(
  tx: EntityManager,
  subscription: string,
  topic: string,
  keys: readonly string[],
  pauseMs: number,
): Promise<void> {
  await tx.query(BLOCK, [subscription, topic, keys, pauseMs / 1_000]);
  leave(tx, 'parked');
}

/** How long a claimed key is left to the instance that claimed it before that must have locked it, in s. */
const CLAIM_S = 5;

// A message that has failed is tried alone, so that it takes none of the others with it.
const CLAIM = `
WITH next AS (
  SELECT subscription, topic, key, trying FROM messaging.blocked_key
  WHERE subscription = $1 AND due_at <= now()
    AND NOT EXISTS (SELECT FROM messaging.paused WHERE subscription = $1)
  ORDER BY due_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE messaging.blocked_key k
SET due_at = now() + make_interval(secs => ${CLAIM_S}),
    trying = CASE WHEN k.alone OR (
      SELECT p.attempts > 0 FROM messaging.parked p
      WHERE p.subscription = k.subscription AND p.topic = k.topic AND p.key = k.key ORDER BY p.position LIMIT 1
    ) THEN 1 ELSE $2 END
FROM next WHERE k.subscription = next.subscription AND k.topic = next.topic AND k.key = next.key
RETURNING k.subscription, k.topic, k.key, k.trying AS size, next.trying AS unfinished`;

/**
 * Claims the next key that is due, and records how many messages are about to be tried: if a handler ends the process,
 * that is what is left of the attempt. A key that another instance has claimed or locked is skipped. While the
 * subscription is paused there is none.
 */
export async function claim(
  database: DataSource,
  subscription: string,
  most: number,
): Promise<ClaimedKey | undefined> {
  const [[claimed]] = (await database.query(CLAIM, [subscription, most])) as [ClaimedKey[]];
  return claimed;
}

const NEXT_DUE = `
SELECT (extract(epoch FROM due_at - clock_timestamp()) * 1000)::float8 AS ms FROM messaging.blocked_key
WHERE subscription = $1 AND due_at < 'infinity'
  AND NOT EXISTS (SELECT FROM messaging.paused WHERE subscription = $1)
ORDER BY due_at LIMIT 1`;

/** How long until a key is due, in ms; undefined if none is, or the subscription is paused. */
export async function nextDue(database: DataSource, subscription: string): Promise<number | undefined> {
  const [next] = (await database.query(NEXT_DUE, [subscription])) as { ms: number }[];
  return next?.ms;
}

const TRY_ALONE = `
UPDATE messaging.blocked_key SET alone = $4, trying = 1 WHERE subscription = $1 AND topic = $2 AND key = $3`;

/** Has the messages of a key tried one by one from now on, or no more. */
export async function tryAlone(tx: EntityManager, key: BlockedKey, alone: boolean): Promise<void> {
  await tx.query(TRY_ALONE, [...keyValues(key), alone]);
}

const LOCK = `
SELECT 1 FROM messaging.blocked_key
WHERE subscription = $1 AND topic = $2 AND key = $3 AND trying > 0
  AND NOT EXISTS (SELECT FROM messaging.paused WHERE subscription = $1)
FOR NO KEY UPDATE SKIP LOCKED`;

/** Locks a claimed key until the transaction ends; messages can still be parked behind. @returns false if it cannot be */
export async function lock(tx: EntityManager, key: BlockedKey): Promise<boolean> {
  return ((await tx.query(LOCK, [...keyValues(key)])) as unknown[]).length > 0;
}

const GIVE_BACK = `
UPDATE messaging.blocked_key SET trying = 0, due_at = now()
WHERE subscription = $1 AND topic = $2 AND key = $3 AND trying > 0`;

/** Gives a claimed key back of which nothing was tried. */
export async function giveBack(database: DataSource, key: BlockedKey): Promise<void> {
  await database.query(GIVE_BACK, [...keyValues(key)]);
}

const COUNT = `
SELECT count(*)::int AS count FROM (
  SELECT FROM messaging.parked WHERE subscription = $1 AND topic = $2 AND key = $3 LIMIT $4) AS first`;

const LOCK_TO_UNBLOCK = 'SELECT messaging.lock_to_unblock($1, $2, $3) AS locked';

const UNBLOCK = `
DELETE FROM messaging.blocked_key k WHERE subscription = $1 AND topic = $2 AND key = $3 AND NOT EXISTS (
  SELECT FROM messaging.parked p WHERE p.subscription = $1 AND p.topic = $2 AND p.key = $3)`;

/** How soon to try again to unblock a key that has no messages left, in ms. */
const SOON_MS = 50;

const ADVANCE = `
UPDATE messaging.blocked_key SET trying = 0, due_at = coalesce(
  (SELECT CASE WHEN p.held THEN 'infinity' ELSE p.due_at END FROM messaging.parked p
   WHERE p.subscription = $1 AND p.topic = $2 AND p.key = $3 ORDER BY p.position LIMIT 1),
  now() + interval '${SOON_MS} milliseconds')
WHERE subscription = $1 AND topic = $2 AND key = $3`;

/** Handles the last messages of a key while nobody can park more of them. */
export interface LastMessages {
  /** How many messages count as the last ones. */
  readonly most: number;
  handle(): Promise<void>;
}

/**
 * After its messages have changed: the key is free if none is left, else due when its first one is. Batches that park
 * messages of it are waited for, but only for a moment; then the key stays blocked for now.
 * @param last frees a key although messages of it keep coming
 */
export async function advanceKey(tx: EntityManager, key: BlockedKey, last?: LastMessages): Promise<void> {
  const values = [...keyValues(key)];
  const most = last?.most ?? 0;
  const [{ count }] = (await tx.query(COUNT, [...values, most + 1])) as [{ count: number }];
  if (count <= most) {
    const [{ locked }] = (await tx.query(LOCK_TO_UNBLOCK, values)) as [{ locked: boolean }];
    if (locked) {
      await last?.handle();
      const [, removed] = (await tx.query(UNBLOCK, values)) as [unknown, number];
      if (removed > 0) return;
    }
  }
  await tx.query(ADVANCE, values);
  leave(tx, 'parked');
}

const DUE_NOW = `
UPDATE messaging.blocked_key SET due_at = now() WHERE subscription = $1 AND topic = $2 AND key = $3 AND trying = 0`;

/** After a message was put before the others. One that is being tried finishes first; its key is due by then anyway. */
export async function dueNow(tx: EntityManager, key: BlockedKey): Promise<void> {
  await tx.query(DUE_NOW, [...keyValues(key)]);
  leave(tx, 'parked');
}
