import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { aCampaign, startShop, table } from '#shop-kit';
import { freePorts } from '#server-process';
import type { LoadOrder, LoadReport } from '../seckill/load.js';
import { HIGH_LIMITS, manyUnits } from './modes.js';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 10);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const CONNECTIONS = Number(process.env['BENCH_CONNECTIONS'] ?? 1_000);
const SHOPPERS = 20_000;

/** What a buyer is answered who gets nothing, and one who does, against the bare Nest + Fastify POST, closed loop. */
export async function compareRefusals(): Promise<string> {
  const [port = 0] = await freePorts(1);
  const echo = await startEcho(port);
  const shop = await startShop({ env: HIGH_LIMITS });
  try {
    const { operator } = shop.client;
    const sold = await operator.openCampaign(aCampaign({ stock: 1 }));
    await (await shop.client.buyer()).reserve(sold);
    const limited = { ...aCampaign(manyUnits), ratePerSecond: 1, capacity: 1 };
    const orders = (campaignId: string) => `${shop.url}/api/campaigns/${campaignId}/orders`;
    const subjects = {
      'bare Nest + Fastify POST echo': `http://127.0.0.1:${port}/echo`,
      '409 sold out': orders(sold),
      '429 no token': orders(await operator.openCampaign(limited)),
      '201 async, the whole shop running': orders(await operator.openCampaign(aCampaign(manyUnits))),
    };
    const { SESSION_SECRET: secret = '' } = await shop.environmentOf('gateway-1');
    const reports = new Map<string, LoadReport[]>(Object.keys(subjects).map(name => [name, []]));
    for (const url of Object.values(subjects)) await load(url, secret, 3);
    for (let round = 0; round < ROUNDS; round += 1)
      for (const [name, url] of Object.entries(subjects))
        reports.get(name)!.push(await load(url, secret, SECONDS));
    return report(reports);
  } finally {
    await shop.stop();
    echo.kill('SIGKILL');
  }
}

async function startEcho(port: number): Promise<ChildProcess> {
  const child = fork(resolve('dist/bench/seckill/echo-server.js'), {
    env: { ...process.env, HTTP_PORT: String(port) },
  });
  await once(child, 'message');
  return child;
}

async function load(url: string, secret: string, seconds: number): Promise<LoadReport> {
  const child = fork(resolve('dist/bench/seckill/load.js'));
  child.send({ url, secret, shoppers: SHOPPERS, connections: CONNECTIONS, seconds } satisfies LoadOrder);
  const [report] = (await once(child, 'message')) as [LoadReport];
  return report;
}

function report(reports: ReadonlyMap<string, readonly LoadReport[]>): string {
  const of = (name: string, figure: keyof LoadReport) =>
    reports
      .get(name)!
      .map(each => each[figure])
      .sort((one, other) => one - other)[Math.floor(ROUNDS / 2)]!;
  const [echo = ''] = reports.keys();
  const rows = [...reports.keys()].map(name => [
    name,
    Math.round(of(name, 'answered')),
    (of(name, 'answered') / of(echo, 'answered')).toFixed(2),
    of(name, 'p50'),
    of(name, 'p99'),
  ]);
  return (
    `median of ${ROUNDS} rounds of ${SECONDS} s, ${CONNECTIONS} connections, closed loop:\n` +
    table([['', 'answers/s', 'of the echo', 'p50 ms', 'p99 ms'], ...rows])
  );
}
