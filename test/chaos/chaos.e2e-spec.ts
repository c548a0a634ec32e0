import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TEST_TRANSPORT } from '#testkit';
import { runFlashSale, sellAndPay } from '../../lab/flash-sale/flash-sale.js';
import { auditReport } from '../../tools/client/audit.js';
import { table } from '../../tools/client/table.js';
import { RunningShop } from '../e2e/running-shop.js';
import { END_TRANSACTIONS, FAULTS, IDLE, KAFKA_FAULTS, type Stage } from './faults.js';
import { Random } from './random.js';

/** `npm run test:chaos -- --faults 200 --orders 20000 --seed 7` sets them. */
const { CHAOS_FAULTS, CHAOS_ORDERS, CHAOS_SEED } = process.env;
const catalogue = { ...FAULTS, ...(process.env[TEST_TRANSPORT] === 'kafka' && KAFKA_FAULTS) };
/** How many faults strike; by default, one of each kind. */
const WANTED = Number(CHAOS_FAULTS ?? Object.keys(catalogue).length);
/** The minimum number of flash-sale orders paid while they do. */
const ORDERS = Number(CHAOS_ORDERS ?? WANTED * 10);
const SEED = Number(CHAOS_SEED ?? Date.now() % 1_000_000);
const LONG = WANTED >= 100;

/** Campaigns at the same time: while buyers pay in one, others are in their rush. */
const SALES_AT_ONCE = LONG ? 4 : 2;
const SALE = LONG ? { stock: 250, shoppers: 400 } : { stock: 100, shoppers: 200 };
/** The next fault strikes after this many more paid orders, or after this time, in ms, if none are paid. */
const ORDERS_A_FAULT = ORDERS / WANTED;
const LONGEST_PAUSE_MS = 10_000;

describe(`a flash sale under ${WANTED} faults (seed ${SEED})`, () => {
  let dataDir: string;
  let chaosDir: string;
  let running: RunningShop;

  beforeAll(async () => {
    process.stderr.write(`chaos: --faults ${WANTED} --orders ${ORDERS} --seed ${SEED}\n`);
    chaosDir = await mkdtemp(join(tmpdir(), 'sluice-chaos-'));
    dataDir = await RunningShop.dataDir();
    const intruder = pathToFileURL(resolve('test/chaos/intruder.js'));
    intruder.searchParams.set('dir', chaosDir);
    running = await RunningShop.start(dataDir, [], {
      NODE_OPTIONS: `--import ${intruder.href}`,
    });
  });

  afterAll(async () => {
    await running?.stop();
    await RunningShop.remove(dataDir);
    await rm(chaosDir, { recursive: true, force: true });
  });

  it(
    'loses nothing, doubles nothing, oversells nothing, and keeps every key in order',
    async () => {
      const startedAt = performance.now();
      const random = new Random(SEED);
      const stage: Stage = { running, chaosDir, random, holdMs: 3_000, idleMs: LONG ? 60_000 : 10_000 };
      const struck: Record<string, number> = {};
      let [paid, faults] = [0, 0];
      const over = new AbortController();
      const striking = strikeAll();
      const shop = running.client(200);
      const sales: { won: number; paid: number }[] = [];
      const sellOn = async () => {
        while ((faults < WANTED || paid < ORDERS) && !over.signal.aborted) {
          const sale = await sellAndPay(shop, { sku: 'demo.PHONE', ...SALE, say, onPaid: () => (paid += 1) });
          sales.push({ won: sale.won.length, paid: sale.paid });
        }
      };
      try {
        await Promise.all(Array.from({ length: SALES_AT_ONCE }, sellOn));
      } finally {
        over.abort();
        await striking;
      }
      const last = await runFlashSale(shop, { sku: 'demo.PHONE', stock: 50, shoppers: 100, say });
      await shop.close();
      const seconds = Math.round((performance.now() - startedAt) / 1_000);
      const rows = Object.entries(struck).map(([name, count]) => [name, String(count)]);
      process.stderr.write(`${table(rows)}\n`);
      process.stderr.write(`${faults} faults over ${paid} paid orders in ${seconds} s\n`);
      if (!last.audit.clean) process.stderr.write(`${auditReport(last.audit)}\n`);

      expect(auditReport(last.audit)).toContain('audit: clean');
      expect(faults).toBeGreaterThanOrEqual(WANTED);
      const kinds = Object.keys(catalogue);
      if (WANTED >= kinds.length) expect(new Set(Object.keys(struck))).toEqual(new Set(kinds));
      // Confirmed means sold: each order that a shopper was promised could be paid for.
      for (const sale of sales) expect(sale.paid).toBe(sale.won);
      for (const sale of sales) expect(sale.won).toBeLessThanOrEqual(SALE.stock);
      expect(last.won).toHaveLength(50);
      expect(last.paid).toBe(50);

      async function strikeAll(): Promise<void> {
        let idle: Promise<unknown> | undefined;
        let deck: string[] = [];
        // A fault that hit nothing strikes again later, with the rest of its deck.
        const strikeOrPutBack = async (name: string) => {
          if (!(await strike(name))) deck.unshift(name);
        };
        while (faults < WANTED && !over.signal.aborted) {
          if (deck.length === 0) await idle;
          if (deck.length === 0) deck = random.shuffle(Object.keys(catalogue));
          const name = deck.pop()!;
          if (name === IDLE) {
            // It may last long: other faults strike meanwhile, except those that would end it.
            idle = strikeOrPutBack(name);
            deck = [
              ...deck.filter(each => END_TRANSACTIONS.includes(each)),
              ...deck.filter(each => !END_TRANSACTIONS.includes(each)),
            ];
            continue;
          }
          if (END_TRANSACTIONS.includes(name)) await idle;
          await strikeOrPutBack(name);
          await untilPaid(paid + ORDERS_A_FAULT * 2 * random.next());
        }
        await idle;
      }

      async function strike(name: string): Promise<boolean> {
        const hit = await catalogue[name]!(stage);
        if (hit === undefined) return false;
        faults += 1;
        struck[name] = (struck[name] ?? 0) + 1;
        say(`${faults}: ${name}: ${hit}`);
        return true;
      }

      async function untilPaid(count: number): Promise<void> {
        const until = performance.now() + LONGEST_PAUSE_MS;
        while (paid < count && performance.now() < until && !over.signal.aborted)
          await new Promise(done => setTimeout(done, 50));
      }
    },
    LONG ? 3_600_000 : 600_000,
  );
});

/** A line for whoever watches a long run. */
function say(line: string): void {
  if (LONG) process.stderr.write(`${line}\n`);
}
