import type { DataSource, EntityManager } from 'typeorm';
import { Header } from '../message/envelope.js';
import type { ReceivedMessage } from '../message/received-message.js';
import { type Place, storable } from '../parking/place.js';
import type { Batch } from '../transport/transport.js';
import type { ToHandle } from './classify-message.js';

/** The inbox: a receipt for every message handled, so that a second copy has no second effect. */

export interface OpenedBatch {
  /** Positions up to this one were settled before. */
  readonly settled: number;
  /** Ids that had no receipt before; they have one now. */
  readonly fresh: readonly string[];
  /** Keys that have messages parked. */
  readonly parked: readonly string[];
}

const BEGIN_BATCH =
  'SELECT settled, fresh, parked FROM messaging.begin_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)';

/**
 * Begins settling a batch, in the handler's own transaction, with the function `messaging.begin_batch`.
 *
 * It locks the partition's progress row, so that two owners of one partition settle one after the other, and
 * refuses an owner that a later one has overtaken. Messages at or below the settled position are already
 * done.
 * A message with a receipt was already handled at another position: a relay crashed between send and delete.
 * @throws an error with SQLSTATE SL001 for a stale owner, SL002 while the subscription is paused
 */
export async function beginBatch(
  tx: EntityManager,
  subscription: string,
  { topic, partition, epoch }: Batch,
  first: number,
  items: readonly ToHandle[],
): Promise<OpenedBatch> {
  const [{ settled, ...opened }] = (await tx.query(BEGIN_BATCH, [
    subscription,
    topic,
    partition,
    epoch,
    first,
    items.map(item => item.id),
    items.map(item => item.message.position),
    items.map(({ message }) => storable(message.headers[Header.source] ?? '')),
    items.map(({ message }) => storable(message.key)),
    items.map(({ message }) => sequenceOf(message)),
  ])) as [OpenedBatch & { settled: string }];
  return { ...opened, settled: Number(settled) };
}

/** Null if the source does not number its messages, or numbers them in another format. */
function sequenceOf(message: ReceivedMessage): string | null {
  const sequence = message.headers[Header.sequence];
  return sequence !== undefined && /^0?\d{1,18}$/.test(sequence) ? sequence : null;
}

const RENEW = 'SELECT messaging.renew_receipts($1, $2, $3, $4, $5)';

/**
 * Renews the receipts' places in the order: the messages are handled now, not when they were parked. The receipt of
 * a replayed dead letter stays where it was, because its operator chose to handle it after later messages of
 * its key.
 */
export async function renewReceipts(
  tx: EntityManager,
  { subscription, topic, partition }: Omit<Place, 'position'>,
  items: readonly ToHandle[],
): Promise<void> {
  const positions = items.map(({ message }) => message.position);
  await tx.query(RENEW, [subscription, topic, partition, positions, items.map(({ id }) => id)]);
}

const TAKE = `
INSERT INTO messaging.inbox (subscription, message_id, key_hash) VALUES ($1, $2, 0)
ON CONFLICT DO NOTHING RETURNING message_id`;

/**
 * Gives a message a receipt. A message that did not parse has none and needs one to be tried again.
 * @returns false when a copy of it was handled before
 */
export async function takeReceipt(
  tx: EntityManager,
  subscription: string,
  messageId: string,
): Promise<boolean> {
  return ((await tx.query(TAKE, [subscription, messageId])) as unknown[]).length > 0;
}

const DROP = 'DELETE FROM messaging.inbox WHERE subscription = $1 AND message_id = $2';

/** Removes a receipt, so that a later copy of the message that does parse is not a duplicate. */
export async function dropReceipt(tx: EntityManager, subscription: string, messageId: string): Promise<void> {
  await tx.query(DROP, [subscription, storable(messageId)]);
}

const OUT_OF_ORDER = `
SELECT subscription, count(*)::int AS count FROM (
  SELECT subscription, sequence < lag(sequence) OVER (PARTITION BY subscription, key_hash ORDER BY ordinal) AS late
  FROM messaging.inbox WHERE sequence IS NOT NULL
) AS receipts WHERE late GROUP BY subscription`;

/**
 * Counts the messages that were handled after a later one of their key, by subscription, as far as there are
 * receipts. Sequence numbers are assigned under the key's lock, so they follow commit order. Sorts all
 * receipts.
 */
export async function countOutOfOrder(database: DataSource): Promise<ReadonlyMap<string, number>> {
  const rows = (await database.query(OUT_OF_ORDER)) as { subscription: string; count: number }[];
  return new Map(rows.map(row => [row.subscription, row.count]));
}

// Parked messages and undecided dead letters may still be handled: their receipts stay.
const FORGET = `
WITH waiting AS (
  SELECT substring(headers FROM '"${Header.id}":"([^"]*)"') AS id FROM messaging.parked WHERE subscription = $1
  UNION ALL
  SELECT substring(headers FROM '"${Header.id}":"([^"]*)"') FROM messaging.dead_letter
  WHERE subscription = $1 AND status = 'dead'
)
DELETE FROM messaging.inbox WHERE subscription = $1 AND message_id IN (
  SELECT i.message_id FROM messaging.inbox i
  WHERE i.subscription = $1 AND i.received_at < $2
    AND NOT EXISTS (SELECT FROM waiting WHERE waiting.id = i.message_id) LIMIT $3)`;

/** Removes a subscription's receipts from before a time. @returns how many; `limit` means that there may be more */
export async function forgetReceipts(
  database: DataSource,
  subscription: string,
  before: Date,
  limit: number,
): Promise<number> {
  const [, removed] = (await database.query(FORGET, [subscription, before, limit])) as [unknown, number];
  return removed;
}

const SUBSCRIPTIONS = `
WITH RECURSIVE name AS (
  (SELECT subscription FROM messaging.inbox ORDER BY subscription LIMIT 1)
  UNION ALL
  SELECT (SELECT i.subscription FROM messaging.inbox i WHERE i.subscription > name.subscription
          ORDER BY i.subscription LIMIT 1)
  FROM name WHERE name.subscription IS NOT NULL
) SELECT subscription, now() AS now FROM name WHERE subscription IS NOT NULL`;

/** The subscriptions that have receipts, and the time by the clock that the receipts go by. */
export async function subscriptionsWithReceipts(
  database: DataSource,
): Promise<readonly { subscription: string; now: Date }[]> {
  return database.query(SUBSCRIPTIONS);
}
