import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { PostgresCluster } from './cluster.js';

/** One of each kind of object that a service's migrations make, and a few more. */
const EVERYTHING = `
CREATE SCHEMA own;
CREATE TYPE own.colour AS ENUM ('red');
CREATE TYPE own.pair AS (a int, b int);
CREATE DOMAIN own.amount AS bigint CHECK (VALUE >= 0);
CREATE TABLE own.item (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number serial, price own.amount);
CREATE TABLE "Strange ""name" (day date) PARTITION BY RANGE (day);
CREATE TABLE part PARTITION OF "Strange ""name" FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE SEQUENCE own.counter;
CREATE VIEW own.items AS SELECT id FROM own.item;
CREATE MATERIALIZED VIEW own.kept AS SELECT id FROM own.item;
CREATE FUNCTION own.twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 2 * n';
CREATE FUNCTION own.twice(n text) RETURNS text LANGUAGE sql AS 'SELECT n || n';
CREATE PROCEDURE own.nothing() LANGUAGE sql AS '';`;

const NOT_MINE = `
SELECT oid::regclass::text FROM pg_class WHERE relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
  AND pg_get_userbyid(relowner) <> current_user
UNION ALL SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace::regnamespace::text !~ '^(pg_|information_schema)'
  AND pg_get_userbyid(proowner) <> current_user
UNION ALL SELECT oid::regtype::text FROM pg_type WHERE typnamespace::regnamespace::text !~ '^(pg_|information_schema)'
  AND pg_get_userbyid(typowner) <> current_user
UNION ALL SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema|public)'
  AND pg_get_userbyid(nspowner) <> current_user`;

describe('owned databases', () => {
  let dataDir: string;
  let cluster: PostgresCluster;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'sluice-owned-'));
    cluster = await PostgresCluster.start({
      dataDir: join(dataDir, 'data'),
      password: 'a/b@c',
      settings: { fsync: 'off' },
    });
  });

  afterAll(async () => {
    await cluster?.stop('immediate');
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function query<T>(url: string, sql: string): Promise<T[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(sql)).rows as T[];
    } finally {
      await client.end();
    }
  }

  it('belong to a role that may do anything in its own, enter no other, and touch no file', async () => {
    await cluster.ensureOwnedDatabases(['mine', 'yours']);
    const mine = cluster.ownerUrl('mine');
    await query(mine, EVERYTHING);
    for (const other of ['yours', 'postgres', 'template1'])
      await expect(query(mine.replace(/mine$/, other), 'SELECT')).rejects.toThrow(/permission denied/);
    await expect(query(mine, `COPY own.item TO '/tmp/file'`)).rejects.toThrow(/permission denied/);
    await expect(query(mine, `COPY own.item FROM PROGRAM 'id'`)).rejects.toThrow(/permission denied/);
    await expect(query(mine, 'CREATE DATABASE more')).rejects.toThrow(/permission denied/);
    await expect(query(mine, 'SET ROLE yours')).rejects.toThrow(/permission denied/);
    await expect(query(mine.replace('mine:', 'yours:'), 'SELECT')).rejects.toThrow(/password authentication/);
  });

  it('are handed over with everything in them when an earlier build made them, also from half-way', async () => {
    await cluster.ensureDatabases(['old']);
    await query(cluster.url('old'), EVERYTHING);
    // A start that was killed after it had made the role.
    await query(cluster.url('postgres'), 'CREATE ROLE halfway LOGIN');
    await query(cluster.url('postgres'), 'CREATE DATABASE halfway');
    await cluster.ensureOwnedDatabases(['old', 'halfway']);
    expect(await query(cluster.ownerUrl('old'), NOT_MINE)).toEqual([]);
    await query(cluster.ownerUrl('old'), 'DROP SCHEMA own CASCADE; DROP TABLE "Strange ""name"; SELECT 1');
    // An earlier build ran once more.
    await query(cluster.url('old'), EVERYTHING);
    await cluster.ensureOwnedDatabases(['old', 'halfway']);
    expect(await query(cluster.ownerUrl('old'), NOT_MINE)).toEqual([]);
    const open = await query(
      cluster.url('postgres'),
      `SELECT datname FROM pg_database WHERE has_database_privilege('public', oid, 'CONNECT') AND datallowconn`,
    );
    expect(open).toEqual([]);
  });
});
