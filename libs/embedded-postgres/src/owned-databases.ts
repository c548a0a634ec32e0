import pg from 'pg';

/** Which databases there are, whose they are, and whether every role may enter. */
const DATABASES = `
SELECT datname AS name, pg_get_userbyid(datdba) AS owner, has_database_privilege('public', oid, 'CONNECT') AS open
FROM pg_database WHERE datallowconn`;

/**
 * The statements that hand everything in a database over to role $1. REASSIGN OWNED cannot: PostgreSQL itself needs
 * other objects of the superuser who made these. What belongs to an extension, or to a table as its sequence, goes with it.
 */
const HAND_OVER = `
WITH owner AS (
  SELECT oid FROM pg_roles WHERE rolname = $1
), own AS (
  SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
), shared AS (
  SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), attached AS (
  SELECT classid, objid, deptype FROM pg_depend WHERE deptype IN ('a', 'e', 'i')
)
SELECT format('ALTER SCHEMA %I OWNER TO %I', nspname, $1::text) AS statement
FROM pg_namespace WHERE oid IN (SELECT oid FROM own) AND nspowner <> (SELECT oid FROM owner)
UNION ALL
SELECT format('ALTER %s %s OWNER TO %I', CASE relkind
  WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END,
  oid::regclass, $1::text)
FROM pg_class c WHERE relowner <> (SELECT oid FROM owner) AND relkind IN ('r', 'p', 'S', 'v', 'm', 'c') AND relnamespace IN (SELECT oid FROM shared)
  AND NOT EXISTS (SELECT FROM attached WHERE classid = 'pg_class'::regclass AND objid = c.oid
    AND (deptype = 'e' OR c.relkind = 'S'))
UNION ALL
SELECT format('ALTER ROUTINE %s OWNER TO %I', oid::regprocedure, $1::text)
FROM pg_proc p WHERE proowner <> (SELECT oid FROM owner) AND pronamespace IN (SELECT oid FROM shared)
  AND NOT EXISTS (SELECT FROM attached WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
UNION ALL
SELECT format('ALTER TYPE %s OWNER TO %I', oid::regtype, $1::text)
FROM pg_type WHERE typowner <> (SELECT oid FROM owner) AND typnamespace IN (SELECT oid FROM shared) AND typtype IN ('e', 'd')`;

/** A database and the password of the role that owns it; the role has the name of the database. */
export interface OwnedDatabase {
  readonly name: string;
  readonly password: string;
}

/**
 * Gives each database a role of its own that owns it and may enter no other, and creates what does not exist. A database
 * of an earlier build is handed over, with everything in it, in one transaction; so is what a superuser has made in it
 * since, as an earlier build or a restored backup does. Safe to repeat after a crash anywhere.
 * @param url of a superuser, for a given database
 */
export async function ensureOwnedDatabases(
  databases: readonly OwnedDatabase[],
  url: (database: string) => string,
): Promise<void> {
  await connected(url('postgres'), async client => {
    const { rows } = await client.query<{ name: string; owner: string; open: boolean }>(DATABASES);
    const present = new Map(rows.map(row => [row.name, row]));
    const { rows: found } = await client.query<{ name: string }>('SELECT rolname AS name FROM pg_roles');
    const roles = new Set(found.map(row => row.name));
    for (const { name, password } of databases) {
      const owner = client.escapeIdentifier(name);
      if (!roles.has(name))
        await client.query(`CREATE ROLE ${owner} LOGIN PASSWORD ${client.escapeLiteral(password)}`);
      const database = present.get(name);
      if (database === undefined) await client.query(`CREATE DATABASE ${owner} OWNER ${owner}`);
      if (database?.open !== false) await close(client, name);
    }
    const earlier = databases.flatMap(({ name }) => present.get(name) ?? []);
    await Promise.all(earlier.map(({ name, owner }) => handOver(name, url(name), owner !== name)));
    for (const { name, open } of rows)
      if (open && !databases.some(each => each.name === name)) await close(client, name);
  });
}

async function handOver(name: string, url: string, all: boolean): Promise<void> {
  await connected(url, async client => {
    await client.query('BEGIN');
    const { rows } = await client.query<{ statement: string }>(HAND_OVER, [name]);
    for (const { statement } of rows) await client.query(statement);
    const owner = client.escapeIdentifier(name);
    if (all) await client.query(`ALTER DATABASE ${owner} OWNER TO ${owner}`);
    await client.query('COMMIT');
  });
}

async function close(client: pg.Client, database: string): Promise<void> {
  await client.query(`REVOKE ALL ON DATABASE ${client.escapeIdentifier(database)} FROM PUBLIC`);
}

/** Does something with a connection, and ends it. */
export async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
