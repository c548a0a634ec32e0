import { Logger } from '@nestjs/common';
import type { Pool, PoolClient } from 'pg';
import { LIMITS } from './limits.js';

const LOCK = 7_583_201_945;
const DAY_MS = 86_400_000;

const ATTACHED = `
SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'message'::regclass ORDER BY 1`;

/** Whether an active group still has anything to do in this partition of the table. */
const NEEDED = `
SELECT EXISTS (
  SELECT 1 FROM assignment a
  WHERE a.active_at > now() - make_interval(days => $1)
    AND EXISTS (SELECT 1 FROM %TABLE% m
                WHERE m.topic = a.topic AND m.partition = a.partition AND m.position > a.committed)
) AS needed`;

/**
 * Frees space by dropping whole days of the message table, which costs the same however full they are. A day
 * is dropped when it is older than the retention and every active group is past it.
 */
export class Retention {
  private readonly logger = new Logger(Retention.name);

  constructor(private readonly pool: Pool) {}

  /**
   * Creates the days to come. Processes that start together take turns, so that none appends before they
   * exist.
   */
  async prepare(now: Date): Promise<void> {
    const client = await this.pool.connect();
    try {
      await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
      try {
        await this.makeDays(client, now);
      } finally {
        await client.query('SELECT pg_advisory_unlock($1)', [LOCK]);
      }
    } finally {
      client.release();
    }
  }

  /**
   * Creates the days to come and drops the days gone by, in one process at a time. Returns what it dropped.
   * Not for a start: after a long stop no group has had the time to show that it is still active.
   */
  async maintain(now: Date, keepDays: number = LIMITS.retentionDays): Promise<string[]> {
    const client = await this.pool.connect();
    try {
      const { rows } = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1) AS mine', [
        LOCK,
      ]);
      if (!rows[0]!.mine) return [];
      try {
        await this.makeDays(client, now);
        return await this.dropDays(client, now, keepDays);
      } finally {
        await client.query('SELECT pg_advisory_unlock($1)', [LOCK]);
      }
    } finally {
      client.release();
    }
  }

  private async makeDays(client: PoolClient, now: Date): Promise<void> {
    const { rows } = await client.query<{ name: string }>(ATTACHED);
    const present = new Set(rows.map(row => row.name));
    for (let ahead = 0; ahead <= LIMITS.daysAhead; ahead += 1) {
      const from = new Date(now.getTime() + ahead * DAY_MS);
      const name = tableOf(from);
      if (present.has(name)) continue;
      const [first, next] = [dayOf(from), dayOf(new Date(from.getTime() + DAY_MS))];
      try {
        await client.query(
          `CREATE TABLE ${name} PARTITION OF message FOR VALUES FROM ('${first} 00:00+00') TO ('${next} 00:00+00')`,
        );
      } catch (error) {
        // 23514: the default partition already has messages of that day; they stay there and nothing is lost.
        if ((error as { code?: string }).code !== '23514') throw error;
      }
    }
  }

  private async dropDays(client: PoolClient, now: Date, keepDays: number): Promise<string[]> {
    const oldest = tableOf(new Date(now.getTime() - keepDays * DAY_MS));
    const { rows } = await client.query<{ name: string }>(ATTACHED);
    const dropped: string[] = [];
    for (const { name } of rows.filter(row => /^message_\d{8}$/.test(row.name) && row.name < oldest)) {
      const needed = await client.query<{ needed: boolean }>(NEEDED.replace('%TABLE%', name), [
        LIMITS.abandonedGroupDays,
      ]);
      if (needed.rows[0]!.needed) {
        this.logger.warn(`${name} is past its retention but kept: a group has not read it yet`);
        continue;
      }
      await client.query(`DROP TABLE ${name}`);
      dropped.push(name);
    }
    return dropped;
  }
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function tableOf(date: Date): string {
  return `message_${dayOf(date).replaceAll('-', '')}`;
}
