import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { aCampaign, type RunningShop, startShop, table } from '#shop-kit';
import type { OpenLoadOrder, OpenLoadReport } from './open-loop.js';

const MODES = ['sync', 'queue', 'async'] as const;
/** Clicks per second that every mode is offered. */
const OFFERED = Number(process.env['BENCH_OFFERED'] ?? 1_000);
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 10);
/** Tried one after the other, until the orders are not written in time. */
const STEPS = [500, 750, 1_000, 1_250, 1_500, 1_750, 2_000, 2_500, 3_000, 4_000, 5_000];
/** How long after its click an order may be written, in ms. */
const WRITTEN_WITHIN_MS = 2_000;

/** Every buyer of a load clicks many times: the limits are checked, and high. */
export const HIGH_LIMITS = { RISK_CLICKS: '1000000', RISK_RESERVATIONS: '1000000', GATEWAY_QUEUED: '20000' };

export const manyUnits = { stock: 1_000_000, perUserLimit: 1_000_000 };

/** The three modes at the same offered load, and the highest load at which the asynchronous one keeps up. */
export async function compareModes(): Promise<string> {
  const shop = await startShop({ lab: true, env: HIGH_LIMITS });
  try {
    const rows: (string | number)[][] = [];
    for (const mode of MODES) {
      const campaignId = await shop.client.operator.openCampaign(aCampaign({ ...manyUnits, mode }));
      const report = await offer(shop, campaignId, OFFERED);
      const refused = Object.entries(report.refused).map(([status, count]) => `${count} × ${status}`);
      rows.push([mode, Math.round(report.acceptedPerSecond), report.p50, report.p99, refused.join(', ')]);
      await shop.audit();
    }
    const head = ['mode', 'accepted/s', 'p50 ms', 'p99 ms', 'not accepted'];
    return (
      `${OFFERED} clicks/s offered for ${SECONDS} s, open loop, the whole shop running:\n` +
      `${table([head, ...rows])}\n\n${await findSustained(shop)}`
    );
  } finally {
    await shop.stop();
  }
}

async function offer(shop: RunningShop, campaignId: string, ratePerSecond: number): Promise<OpenLoadReport> {
  const { SESSION_SECRET: secret = '' } = await shop.environmentOf('gateway-1');
  const child = fork(resolve('dist/bench/flow/open-loop.js'));
  const url = `${shop.url}/api/campaigns/${campaignId}/orders`;
  child.send({ url, secret, ratePerSecond, seconds: SECONDS } satisfies OpenLoadOrder);
  const [report] = (await once(child, 'message')) as [OpenLoadReport];
  return report;
}

/** The highest load at which the last order is written in time, so that the queue does not grow. */
async function findSustained(shop: RunningShop): Promise<string> {
  const orders = new pg.Client(await shop.databaseUrl('sluice_order'));
  await orders.connect();
  let best = 'none of the loads is sustained';
  try {
    for (const rate of STEPS) {
      const campaignId = await shop.client.operator.openCampaign(aCampaign({ ...manyUnits, mode: 'async' }));
      const { accepted } = await offer(shop, campaignId, rate);
      const lateMs = await writtenAfter(orders, campaignId, accepted);
      if (lateMs > WRITTEN_WITHIN_MS || accepted < 0.98 * rate * SECONDS) break;
      best = `sustained in async mode: ${rate} clicks/s; its last order was written ${Math.round(lateMs)} ms after the load`;
      await shop.audit();
    }
  } finally {
    await orders.end();
  }
  return best;
}

/** How long after now all of a campaign's orders are written, in ms. */
async function writtenAfter(orders: pg.Client, campaignId: string, expected: number): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const { rows } = await orders.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM orders WHERE campaign_id = $1',
      [campaignId],
    );
    const waited = performance.now() - startedAt;
    if (rows[0]!.count >= expected || waited > 10 * WRITTEN_WITHIN_MS) return waited;
    await setTimeout(50);
  }
}
