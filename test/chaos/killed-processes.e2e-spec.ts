import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runFlashSale } from '../../lab/flash-sale/flash-sale.js';
import { auditReport } from '../../tools/client/audit.js';
import { kill } from '../e2e/processes.js';
import { RunningShop } from '../e2e/running-shop.js';

const KILLS = 20;
/** Between two kills, in ms, at random up to this: a process may be hit again while it starts. */
const LONGEST_PAUSE_MS = 1_500;
const SEED = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000);

/** Mulberry32 (Tommy Ettinger): small, and the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe(`a flash sale while ${KILLS} processes are killed (CHAOS_SEED=${SEED})`, () => {
  let dataDir: string;
  let running: RunningShop;

  beforeAll(async () => {
    process.stderr.write(`chaos: CHAOS_SEED=${SEED}\n`);
    dataDir = await RunningShop.dataDir();
    running = await RunningShop.start(dataDir);
  });

  afterAll(async () => {
    await running?.stop();
    await RunningShop.remove(dataDir);
  });

  it('loses nothing, doubles nothing, oversells nothing', async () => {
    const random = randomFrom(SEED);
    const killed: string[] = [];
    const over = new AbortController();
    const killing = (async () => {
      while (killed.length < KILLS && !over.signal.aborted) {
        await new Promise(done => setTimeout(done, random() * LONGEST_PAUSE_MS));
        const apps = (await running.processes()).filter(each => each.app !== undefined);
        const victim = apps[Math.floor(random() * apps.length)];
        if (victim === undefined) continue;
        if (kill(victim.pid)) killed.push(victim.app!);
      }
    })();
    const shop = running.client(200);
    const sale = (stock: number, shoppers: number) =>
      runFlashSale(shop, { sku: 'demo.PHONE', stock, shoppers, say: () => undefined });
    const sales = [];
    try {
      do sales.push(await sale(150, 600));
      while (killed.length < KILLS);
    } finally {
      over.abort();
      await killing;
    }
    const last = await sale(50, 100);
    await shop.close();
    expect(killed).toHaveLength(KILLS);
    expect(auditReport(last.audit)).toContain('audit: clean');
    for (const { won } of sales) expect(won.length).toBeLessThanOrEqual(150);
    expect(last.won).toHaveLength(50);
    expect(last.paid).toBe(50);
  }, 400_000);
});
