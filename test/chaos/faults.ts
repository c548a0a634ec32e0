import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { type RunningShop, signal } from '#shop-kit';
import { SERVICES } from '../../apps/stack/src/services.js';
import type { Random } from './random.js';

/** The shop to disturb, and a source of randomness. */
export interface Stage {
  readonly running: RunningShop;
  /** Where `intruder.js` reads its orders. */
  readonly chaosDir: string;
  readonly random: Random;
  /** How long to hold a resource, in ms. */
  readonly holdMs: number;
  /** How long a transaction is left idle, in ms. */
  readonly idleMs: number;
}

/** Does harm, and undoes what does not heal by itself. @returns what it hit, or undefined if nothing */
type Fault = (stage: Stage) => Promise<string | undefined>;

/** Longer than an instance keeps its partitions or its relay's lease. */
const FROZEN_MS = 8_000;
const CLOCK_BACK_MS = -90_000;
/** How long an app may take to reach the point where it is to die. */
const POINT_MS = 10_000;

/** The apps that handle messages. */
const HANDLING = SERVICES.filter(({ kind }) => kind === 'service');
const PUBLISHING = HANDLING.filter(({ name }) => ['seckill', 'order', 'catalog'].includes(name));

const POINTS = [
  'between claim and effect',
  'between handler and commit',
  'between commit and acknowledge',
  'between send and delete',
] as const;

/** The one fault that goes on while others strike. */
export const IDLE = 'an idle transaction';

/** Every kind of fault, by name. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'kill -9': async ({ running, random }) => {
    const victim = random.pick(await appsOf(running));
    return victim !== undefined && signal(victim.pid, 'SIGKILL') ? victim.instance : undefined;
  },
  ...Object.fromEntries(POINTS.map(point => [`kill -9 ${point}`, (stage: Stage) => killAt(stage, point)])),
  'an app frozen': async ({ running, random }) => {
    const victim = random.pick((await appsOf(running)).filter(({ app }) => app !== 'gateway'));
    if (victim === undefined || !signal(victim.pid, 'SIGSTOP')) return undefined;
    await setTimeout(FROZEN_MS);
    signal(victim.pid, 'SIGCONT');
    return victim.instance;
  },
  'a clock set back': async stage => {
    const victim = stage.random.pick(await appsOf(stage.running));
    if (victim === undefined || !(await order(stage, victim, { clockMs: CLOCK_BACK_MS }))) return undefined;
    await setTimeout(stage.holdMs);
    await order(stage, victim, { clockMs: 0 });
    return victim.instance;
  },
  'PostgreSQL restarted': ({ running }) => endPostgres(running, 'SIGINT'),
  'PostgreSQL crashed': ({ running }) => endPostgres(running, 'SIGQUIT'),
  'a back-end killed': async ({ running, random }) => {
    const backends = await ask(running, 'postgres', BACKENDS);
    const victim = random.pick(backends as { pid: number; application_name: string }[]);
    return victim !== undefined && signal(victim.pid, 'SIGKILL') ? victim.application_name : undefined;
  },
  'all back-ends ended': async ({ running }) => {
    const ended = await ask(
      running,
      'postgres',
      `SELECT pg_terminate_backend(pid) FROM (${BACKENDS}) AS all_of_them`,
    );
    return ended.length > 0 ? `${ended.length} back-ends` : undefined;
  },
  'connections exhausted': async ({ running, holdMs }) => {
    const taken: pg.Client[] = [];
    for (;;) {
      const client = await connect(running, 'postgres');
      if (client === undefined) break;
      taken.push(client);
    }
    await setTimeout(holdMs);
    await Promise.all(taken.map(client => client.end().catch(() => undefined)));
    return taken.length > 0 ? `${taken.length} connections` : undefined;
  },
  [IDLE]: async ({ running, random, idleMs }) => {
    const { name, database } = random.pick(PUBLISHING)!;
    // It has a snapshot and a transaction id, but has published nothing.
    return holdOpen(running, database!, 'SELECT txid_current()', idleMs, name);
  },
  'a full pool': async ({ running, random, holdMs }) => {
    const { name, database } = random.pick(HANDLING)!;
    return holdOpen(running, database!, 'LOCK TABLE messaging.inbox IN ACCESS EXCLUSIVE MODE', holdMs, name);
  },
  // Every commit waits as it would for a slow disk.
  'a slow disk': async ({ running, holdMs }) => {
    const set = (delay: string, siblings: string) =>
      reconfigure(running, { commit_delay: delay, commit_siblings: siblings });
    if (!(await set('100000', '0'))) return undefined;
    await setTimeout(holdMs);
    await set('0', '5');
    return 'every commit';
  },
};

/** The faults that would end a transaction that is to stay idle. */
export const END_TRANSACTIONS: readonly string[] = [
  'PostgreSQL restarted',
  'PostgreSQL crashed',
  'a back-end killed',
  'all back-ends ended',
];

/** …and those for brokers of the shop's own. */
export const KAFKA_FAULTS: Readonly<Record<string, Fault>> = {
  'a broker killed': async ({ running, random }) => {
    const broker = random.pick(await brokersOf(running));
    return broker !== undefined && signal(broker.pid, 'SIGKILL') ? 'kafka' : undefined;
  },
  'a broker frozen': async ({ running, random }) => {
    const broker = random.pick(await brokersOf(running));
    if (broker === undefined || !signal(broker.pid, 'SIGSTOP')) return undefined;
    await setTimeout(FROZEN_MS);
    signal(broker.pid, 'SIGCONT');
    return 'kafka';
  },
};

const BACKENDS = `
SELECT pid, application_name FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid`;

interface App {
  readonly pid: number;
  readonly app: string;
  readonly instance: string;
}

async function appsOf(running: RunningShop): Promise<App[]> {
  return (await running.processes()).flatMap(({ pid, app, instance }) =>
    app === undefined || instance === undefined ? [] : [{ pid, app, instance }],
  );
}

async function brokersOf(running: RunningShop): Promise<{ pid: number }[]> {
  return (await running.processes()).filter(({ command }) => command.includes('kafka/broker-'));
}

async function killAt(stage: Stage, point: (typeof POINTS)[number]): Promise<string | undefined> {
  const { running, chaosDir, random } = stage;
  const relays = point === 'between send and delete';
  const { name } = random.pick(relays ? PUBLISHING : HANDLING)!;
  const instances = (await appsOf(running)).filter(({ app }) => app === name);
  // Only the holder of the relay's lease sends. Of several that are told to die, the first to come there does.
  const victims = relays ? instances : random.shuffle(instances).slice(0, 1);
  const receipt = `${name}-${Math.floor(random.next() * 1e9)}.dead`;
  const told = await Promise.all(victims.map(victim => order(stage, victim, { dieAt: point, receipt })));
  if (!told.includes(true)) return undefined;
  for (const until = performance.now() + POINT_MS; performance.now() < until; await setTimeout(50))
    if (existsSync(join(chaosDir, receipt))) return name;
  // With a receipt, nobody dies later. If there is one now, somebody has died at the last moment.
  const withdrawn = writeFile(join(chaosDir, receipt), '', { flag: 'wx' });
  return withdrawn.then(
    () => undefined,
    () => name,
  );
}

/** Tells the intruder in a process what to do. @returns false when the process is gone */
async function order({ chaosDir }: Stage, { pid, instance }: App, what: object): Promise<boolean> {
  await writeFile(join(chaosDir, `${instance}.json`), JSON.stringify(what));
  return signal(pid, 'SIGUSR2');
}

async function endPostgres(running: RunningShop, how: 'SIGINT' | 'SIGQUIT'): Promise<string | undefined> {
  const file = join(running.dataDir, 'postgres', 'postmaster.pid');
  const [pid] = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  return Number(pid) > 0 && signal(Number(pid), how) ? 'PostgreSQL' : undefined;
}

/** @returns undefined when it does not answer or accepts no connection */
async function connect(running: RunningShop, database: string): Promise<pg.Client | undefined> {
  const client = new pg.Client({ connectionString: await running.databaseUrl(database) });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch {
    return undefined;
  }
}

async function ask(running: RunningShop, database: string, sql: string): Promise<unknown[]> {
  const client = await connect(running, database);
  try {
    return ((await client?.query(sql))?.rows ?? []) as unknown[];
  } catch {
    return [];
  } finally {
    await client?.end().catch(() => undefined);
  }
}

async function holdOpen(
  running: RunningShop,
  database: string,
  sql: string,
  ms: number,
  name: string,
): Promise<string | undefined> {
  const client = await connect(running, database);
  if (client === undefined) return undefined;
  try {
    await client.query('BEGIN');
    await client.query(sql);
    await setTimeout(ms);
    await client.query('ROLLBACK');
    return name;
  } catch {
    // Another fault came first and ended it.
    return undefined;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function reconfigure(
  running: RunningShop,
  settings: Readonly<Record<string, string>>,
): Promise<boolean> {
  // Retries: the disk must not stay slow because PostgreSQL was unavailable for a moment.
  for (let tries = 0; tries < 100; tries += 1) {
    const client = await connect(running, 'postgres');
    try {
      if (client !== undefined) {
        for (const [name, value] of Object.entries(settings))
          await client.query(`ALTER SYSTEM SET ${name} = '${value}'`);
        await client.query('SELECT pg_reload_conf()');
        return true;
      }
    } catch {
      // it went away in between
    } finally {
      await client?.end().catch(() => undefined);
    }
    await setTimeout(100);
  }
  return false;
}
