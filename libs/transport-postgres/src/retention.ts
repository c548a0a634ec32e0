import { Logger } from '@nestjs/common';
import type { Pool, PoolClient } from 'pg';
import { codeOf } from '#messaging';
import { LIMITS, SESSION } from './limits.js';
import type { Retained } from './retained.js';
import { LOCK_NOT_AVAILABLE } from './schema.js';

const LOCK = 7_583_201_945;

/**
 * Others read and write the table all the time, and a lock that is waited for keeps all of them waiting behind it. So
 * nothing here waits for long: what cannot be had now is tried again later. Days are made long before they are needed,
 * and nothing needs to be dropped on time.
 */
const BE_BRIEF = "SET lock_timeout = '100ms'";

const DAYS = `
SELECT c.relname AS name, i.inhrelid IS NOT NULL AS attached, coalesce(i.inhdetachpending, false) AS detaching
FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'message'::regclass)
  AND c.relkind = 'r' AND c.relname ~ '^message_\\d{8}$'
ORDER BY 1`;

/** The days to come, by the server's clock, which stamps the messages. */
const WANTED = `
SELECT to_char(day, 'YYYYMMDD') AS day, day::text AS first, (day + 1)::text AS next
FROM (SELECT (coalesce($1::timestamptz, now()) AT TIME ZONE 'UTC')::date + n AS day FROM generate_series(0, $2::int) AS n) AS days`;

const OLDEST = `
SELECT 'message_' || to_char((coalesce($1::timestamptz, now()) AT TIME ZONE 'UTC')::date - $2::int, 'YYYYMMDD') AS oldest`;

/** Whether an active group still has anything to do in this partition of the table. */
const NEEDED = `
SELECT EXISTS (
  SELECT 1 FROM assignment a
  WHERE a.active_at > now() - make_interval(days => $1)
    AND EXISTS (SELECT 1 FROM %TABLE% m WHERE m.topic = a.topic AND m.partition = a.partition
                  AND m.position > committed_of(a.group_name, a.topic, a.partition))
) AS needed`;

interface Day {
  readonly name: string;
  readonly attached: boolean;
  /** It is to be detached, but someone still reads it. */
  readonly detaching: boolean;
}

/**
 * Frees space by dropping whole days of the message table, which costs the same however full they are. A day
 * is dropped when it is older than the retention and every active group is past it. Nobody who appends or reads ever
 * waits for it.
 */
export class Retention {
  private readonly logger = new Logger(Retention.name);

  constructor(private readonly pool: Pool) {}

  /**
   * Creates the days to come. Processes that start together take turns, so that none appends before they
   * exist.
   * @param now for tests; the server's clock decides
   * @throws 55P03 when someone holds a lock; it may be tried again
   */
  async prepare(now?: Date): Promise<void> {
    await this.withLock('SELECT pg_advisory_lock($1), true AS mine', client => this.makeDays(client, now));
  }

  /**
   * Creates the days to come and drops the days gone by, in one process at a time.
   * Not for a start: after a long stop no group has had the time to show that it is still active.
   */
  async maintain(now?: Date, keepDays: number = LIMITS.retentionDays): Promise<Retained> {
    const retained = await this.withLock('SELECT pg_try_advisory_lock($1) AS mine', async client => {
      await this.makeDays(client, now);
      return this.dropDays(client, now, keepDays);
    });
    return retained ?? { dropped: [], busy: [] };
  }

  /** @returns undefined when another process has the lock */
  private async withLock<T>(lock: string, work: (client: PoolClient) => Promise<T>): Promise<T | undefined> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    try {
      await client.query(BE_BRIEF);
      const { rows } = await client.query<{ mine: boolean }>(lock, [LOCK]);
      if (!rows[0]!.mine) return undefined;
      try {
        return await work(client);
      } finally {
        await client.query('SELECT pg_advisory_unlock($1)', [LOCK]);
      }
    } catch (error) {
      broken = error as Error;
      throw error;
    } finally {
      if (broken === undefined) await client.query(`SET lock_timeout = ${SESSION.lockMs}`);
      client.release(broken);
    }
  }

  private async makeDays(client: PoolClient, now: Date | undefined): Promise<void> {
    const { rows: days } = await client.query<Day>(DAYS);
    const present = new Set(days.map(({ name }) => name));
    const { rows: wanted } = await client.query<{ day: string; first: string; next: string }>(WANTED, [
      now ?? null,
      LIMITS.daysAhead,
    ]);
    for (const { day, first, next } of wanted) {
      const name = `message_${day}`;
      if (present.has(name)) continue;
      // To attach a table locks out no one; to create it as a partition would.
      await client.query(`
        BEGIN;
        CREATE TABLE ${name} (LIKE message INCLUDING ALL);
        ALTER TABLE message ATTACH PARTITION ${name} FOR VALUES FROM ('${first} 00:00+00') TO ('${next} 00:00+00');
        COMMIT`);
    }
  }

  private async dropDays(client: PoolClient, now: Date | undefined, keepDays: number): Promise<Retained> {
    const { rows: days } = await client.query<Day>(DAYS);
    const { rows } = await client.query<{ oldest: string }>(OLDEST, [now ?? null, keepDays]);
    const dropped: string[] = [];
    const busy: string[] = [];
    for (const day of days.filter(({ name }) => name < rows[0]!.oldest)) {
      if (day.attached && !day.detaching && (await this.isNeeded(client, day.name))) {
        this.logger.warn(`${day.name} is past its retention but kept: a group has not read it yet`);
        continue;
      }
      try {
        const how = day.detaching ? 'FINALIZE' : 'CONCURRENTLY';
        if (day.attached) await client.query(`ALTER TABLE message DETACH PARTITION ${day.name} ${how}`);
        await client.query(`DROP TABLE ${day.name}`);
        dropped.push(day.name);
      } catch (error) {
        if (codeOf(error) !== LOCK_NOT_AVAILABLE) throw error;
        // One day can be on its way out at a time: the others follow later.
        busy.push(day.name);
        break;
      }
    }
    if (busy.length > 0)
      this.logger.warn(`to be dropped when nobody reads them any more, such as a backup: ${busy.join(', ')}`);
    return { dropped, busy };
  }

  private async isNeeded(client: PoolClient, name: string): Promise<boolean> {
    const { rows } = await client.query<{ needed: boolean }>(NEEDED.replace('%TABLE%', name), [
      LIMITS.abandonedGroupDays,
    ]);
    return rows[0]!.needed;
  }
}
