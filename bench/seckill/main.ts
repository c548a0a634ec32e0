import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, setPriority, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { CreateCampaign } from '#contracts';
import { PostgresCluster } from '#embedded-postgres';
import { uuidv7 } from '#messaging';
import { RequestClient } from '#requests';
import { table } from '#shop-kit';
import { chooseFree } from '../../apps/stack/src/ports.js';
import { processOf, NODE_FLAGS, SERVICES } from '../../apps/stack/src/services.js';
import type { LoadOrder, LoadReport } from './load.js';

const HOST = '127.0.0.1';
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 10);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const CONNECTIONS = Number(process.env['BENCH_CONNECTIONS'] ?? 1_000);
const SHOPPERS = 20_000;
const SECRET = randomBytes(32).toString('hex');
const PASSWORD = 'bench-operator';

const say = (line: string) => process.stdout.write(`${line}\n`);
const children: ChildProcess[] = [];

/** A process, once it reports that it is ready. */
async function start(
  module: string,
  env: Record<string, string>,
  { flags, priority } = { flags: [...NODE_FLAGS.large] as string[], priority: 0 },
): Promise<ChildProcess> {
  const child = fork(resolve('dist', module), {
    execArgv: flags,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  children.push(child);
  if (priority > 0) setPriority(child.pid!, priority);
  await once(child, 'message');
  return child;
}

async function load(url: string, seconds: number): Promise<LoadReport> {
  const child = fork(resolve('dist/bench/seckill/load.js'));
  child.send({
    url,
    secret: SECRET,
    shoppers: SHOPPERS,
    connections: CONNECTIONS,
    seconds,
  } satisfies LoadOrder);
  const [report] = (await once(child, 'message')) as [LoadReport];
  return report;
}

/** The sale as the shop does it: gateway, seckill with its relay, order with its consumer; nothing else runs. */
async function startShop(cluster: PostgresCluster, ports: Record<string, number>): Promise<string> {
  const common = {
    SLUICE_TRANSPORT_URL: cluster.url('log'),
    SLUICE_INSTANCES: JSON.stringify({
      seckill: [`${HOST}:${ports['seckill']!}`],
      order: [`${HOST}:${ports['order']!}`],
    }),
    LOG_LEVEL: 'warn',
  };
  const service = (name: string, env: Record<string, string> = {}) =>
    start(
      `apps/${name}/src/main.js`,
      {
        ...common,
        SLUICE_INSTANCE: `${name}-1`,
        RPC_PORT: String(ports[name] ?? 0),
        DATABASE_URL: cluster.url(name),
        ...env,
      },
      processOf(SERVICES.find(each => each.name === name)!),
    );
  const provider = `http://${HOST}:1`;
  await Promise.all([
    // Every shopper of this load clicks many times. The risk check still runs, with high limits.
    service('seckill', { RISK_CLICKS: '1000000', RISK_RESERVATIONS: '1000000' }),
    service('order', {
      PAYMENT_PROVIDER_URL: provider,
      PAYMENT_CALLBACK_URL: provider,
      PAYMENT_SECRET: SECRET,
    }),
    service('gateway', {
      HTTP_PORT: String(ports['gateway']!),
      SESSION_SECRET: SECRET,
      OPERATOR_PASSWORD: PASSWORD,
      SANDBOX_PUBLIC_URL: provider,
    }),
  ]);
  return `http://${HOST}:${ports['gateway']!}`;
}

async function openCampaign(ports: Record<string, number>): Promise<string> {
  const requests = new RequestClient(() => [`${HOST}:${ports['seckill']!}`]);
  const { campaignId } = await requests.ask(CreateCampaign, {
    campaignId: uuidv7(),
    sku: 'bench.SALE',
    stock: 1_000_000,
    perUserLimit: 1_000_000,
    priceMinor: 100,
    currency: 'GBP',
    startsAt: new Date(Date.now() - 1_000).toISOString(),
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    mode: 'async',
    paymentWindow: 3_600,
  });
  requests.close();
  return campaignId;
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const cluster = await PostgresCluster.start({ dataDir: join(folder, 'postgres'), password: 'bench' });
  try {
    await cluster.ensureDatabases(['log', 'seckill', 'order', 'naive']);
    const ports = await chooseFree(HOST, ['gateway', 'seckill', 'order', 'echo', 'naive'], {});
    await start('bench/seckill/echo-server.js', { HTTP_PORT: String(ports['echo']!) });
    await start('bench/seckill/one-update-server.js', {
      HTTP_PORT: String(ports['naive']!),
      DATABASE_URL: cluster.url('naive'),
      SESSION_SECRET: SECRET,
    });
    const url = await startShop(cluster, ports);
    const campaignId = await openCampaign(ports);
    const subjects = {
      'bare Nest + Fastify POST echo': `http://${HOST}:${ports['echo']!}/echo`,
      'one UPDATE a request': `http://${HOST}:${ports['naive']!}/orders`,
      'Sluice, async mode': `${url}/api/campaigns/${campaignId}/orders`,
    };
    const reports = new Map<string, LoadReport[]>(Object.keys(subjects).map(name => [name, []]));
    for (const url of Object.values(subjects)) await load(url, 3);
    for (let round = 1; round <= ROUNDS; round += 1) {
      for (const [name, url] of Object.entries(subjects)) {
        const report = await load(url, SECONDS);
        reports.get(name)!.push(report);
        say(`round ${round}: ${name}: ${Math.round(report.accepted)}/s`);
      }
    }
    const drained = await drain(cluster);
    report(reports);
    say(drained);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await cluster.stop('immediate');
    await rm(folder, { recursive: true, force: true });
  }
}

/** Reports how much of what was accepted is still queued, and how long the queue takes to drain. */
async function drain(cluster: PostgresCluster): Promise<string> {
  const [seckill, order] = ['seckill', 'order'].map(name => new pg.Client(cluster.url(name)));
  await Promise.all([seckill!.connect(), order!.connect()]);
  const count = async (client: pg.Client | undefined, table: string) =>
    Number((await client!.query<{ count: string }>(`SELECT count(*) FROM ${table}`)).rows[0]!.count);
  const accepted = await count(seckill, 'reservation');
  const before = await count(order, 'orders');
  const startedAt = performance.now();
  let written = before;
  while (written < accepted) {
    await setTimeout(200);
    written = await count(order, 'orders');
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  await Promise.all([seckill!.end(), order!.end()]);
  return `of ${accepted} accepted, ${before} orders were written when the load ended, and all of them ${seconds.toFixed(1)} s later`;
}

function report(reports: ReadonlyMap<string, readonly LoadReport[]>): void {
  const median = (numbers: readonly number[]) =>
    [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
  const of = (name: string, figure: keyof LoadReport) => median(reports.get(name)!.map(each => each[figure]));
  const [echo = '', naive = ''] = [...reports.keys()];
  const rows = [...reports.keys()].map(name => [
    name,
    Math.round(of(name, 'accepted')),
    (of(name, 'accepted') / of(echo, 'accepted')).toFixed(2),
    (of(name, 'accepted') / of(naive, 'accepted')).toFixed(2),
    of(name, 'p50'),
    of(name, 'p99'),
    of(name, 'refused') + of(name, 'errors'),
  ]);
  say('');
  say(
    table([['', 'accepted/s', 'of the echo', 'of one UPDATE', 'p50 ms', 'p99 ms', 'not accepted'], ...rows]),
  );
  const gib = Math.round(totalmem() / 1024 ** 3);
  say(
    `\nmedian of ${ROUNDS} rounds of ${SECONDS} s, ${CONNECTIONS} connections, fsync on; ${cpus().length} cores (${cpus()[0]!.model.trim()}), ${gib} GiB, Node ${process.versions.node}; the load runs on the same cores`,
  );
}

await main();
