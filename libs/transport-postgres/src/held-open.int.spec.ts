import { afterEach, beforeEach, expect, it } from '@jest/globals';
import pg from 'pg';
import { emptyDatabase, type TestDatabase } from '#testkit';
import { PostgresTransport } from './postgres-transport.js';

let own: TestDatabase;
let transport: PostgresTransport;
let client: pg.Client;

beforeEach(async () => {
  own = await emptyDatabase();
  transport = new PostgresTransport({ url: own.url, instance: 'one' });
  await transport.ensureTopics([{ name: 'test', partitions: 1 }]);
  client = new pg.Client({ connectionString: own.url });
  await client.connect();
});

afterEach(async () => {
  await client.end();
  await transport.close();
  await own.drop();
});

it('appends and commits cost the same beside a transaction that is held open, however many there are', async () => {
  const holder = new pg.Client({ connectionString: own.url });
  await holder.connect();
  await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await holder.query('SELECT count(*) FROM message');

  await client.query(
    "INSERT INTO assignment (group_name, topic, partition, owner, epoch) VALUES ('g', 'test', 0, 'one', 1)",
  );
  await client.query("INSERT INTO group_position VALUES ('g', 'test', 0, 1, 0, 0)");
  const work = async (from: number, to: number) => {
    const before = await blocksRead();
    for (let n = from; n < to; n += 1) {
      await client.query(`SELECT append('{test}', '{0}', '{k}', '{"{}"}', '{1}', 'x')`);
      const { rows } = await client.query("SELECT commit_position('g', 'test', 0, 'one', 1, $1) AS mine", [
        n + 1,
      ]);
      expect(rows).toEqual([{ mine: true }]);
    }
    return (await blocksRead()) - before;
  };
  const first = await work(0, 500);
  await work(500, 2_500);
  const last = await work(2_500, 3_000);
  expect(last).toBeLessThan(first * 1.5);
  expect(await transport.lag('g')).toMatchObject([{ head: 3_000, committed: 3_000, lag: 0 }]);
  await holder.end();
});

/** Blocks of the rows that change with every append and commit, and of their indexes. */
async function blocksRead(): Promise<number> {
  await client.query('SELECT pg_stat_force_next_flush()');
  const { rows } = await client.query<{ blocks: number }>(
    `SELECT sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::int AS blocks
     FROM pg_statio_user_tables WHERE relname IN ('partition_end', 'group_position', 'partition', 'assignment')`,
  );
  return rows[0]!.blocks;
}
