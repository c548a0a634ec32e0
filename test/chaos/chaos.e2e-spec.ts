import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TEST_TRANSPORT } from '#testkit';
import { auditReport, type Buyer, inParallel, table, type RunningShop, startShop } from '#shop-kit';
import { campaignOf, runFlashSale } from '../../lab/flash-sale/flash-sale.js';
import { isScalable, SERVICES } from '../../apps/stack/src/services.js';
import { END_TRANSACTIONS, FAULTS, IDLE, KAFKA_FAULTS, type Stage } from './faults.js';
import { type Closed, sellOut, sellToDawdlers, sellTwice } from './flash-sales.js';
import { expectShelf, fillShelf, orderAndChangeMind } from './ordinary-orders.js';
import { Random } from './random.js';

/** `npm run test:chaos -- --faults 200 --orders 20000 --seed 7` sets them. */
const { CHAOS_FAULTS, CHAOS_ORDERS, CHAOS_SEED } = process.env;
const catalogue = { ...FAULTS, ...(process.env[TEST_TRANSPORT] === 'kafka' && KAFKA_FAULTS) };
/** How many faults strike; by default, one of each kind. */
const WANTED = Number(CHAOS_FAULTS ?? Object.keys(catalogue).length);
/** The minimum number of orders paid while they do. */
const ORDERS = Number(CHAOS_ORDERS ?? WANTED * 10);
const SEED = Number(CHAOS_SEED ?? Date.now() % 1_000_000);
const LONG = WANTED >= 100;

/** Two of every app that handles messages, the gateway included. */
const SCALE = Object.fromEntries(SERVICES.filter(isScalable).map(({ name }) => [name, 2]));
/** Campaigns at the same time in which all is paid, besides one of mode `queue`: while buyers pay in one, others are in their rush. */
const SALES_AT_ONCE = LONG ? 4 : 1;
const SALE = LONG ? { stock: 250, shoppers: 400 } : { stock: 100, shoppers: 200 };
/** Its clicks wait on a queue. */
const QUEUED = { ...SALE, mode: 'queue' } as const;
const SOLD_TWICE = { stock: 30, shoppers: 90 };
const DAWDLERS = { stock: 20, shoppers: 40 };
/**
 * The next fault strikes after this many more paid orders, or, as often, when the next shoppers click; or after this
 * time, in ms.
 */
const ORDERS_A_FAULT = ORDERS / WANTED;
const LONGEST_PAUSE_MS = 10_000;

describe(`the shop under ${WANTED} faults (seed ${SEED})`, () => {
  let chaosDir: string;
  let running: RunningShop;
  let passed = false;

  beforeAll(async () => {
    process.stderr.write(`chaos: --faults ${WANTED} --orders ${ORDERS} --seed ${SEED}\n`);
    chaosDir = await mkdtemp(join(tmpdir(), 'sluice-chaos-'));
    const intruder = pathToFileURL(resolve('test/chaos/intruder.js'));
    intruder.searchParams.set('dir', chaosDir);
    running = await startShop({
      scale: SCALE,
      env: { NODE_OPTIONS: `--import ${intruder.href}` },
      clientOptions: { connections: 200, patienceMs: 300_000 },
    });
  });

  afterAll(async () => {
    if (!passed) await keepLogs();
    await running?.stop();
    await rm(chaosDir, { recursive: true, force: true });
  });

  /** What the shop wrote, for whoever looks into a failure. */
  async function keepLogs(): Promise<void> {
    const kept = await mkdtemp(join(tmpdir(), 'sluice-chaos-logs-'));
    await cp(join(running.dataDir, 'logs'), kept, { recursive: true });
    await writeFile(join(kept, 'launcher.log'), running.lines.join('\n'));
    process.stderr.write(`chaos: the logs of seed ${SEED} are in ${kept}\n`);
  }

  it(
    'loses nothing, doubles nothing, oversells nothing, and keeps every key in order',
    async () => {
      const startedAt = performance.now();
      const random = new Random(SEED);
      const stage: Stage = { running, chaosDir, random, holdMs: 3_000, idleMs: LONG ? 60_000 : 10_000 };
      const struck: Record<string, number> = {};
      let [rushes, paid, faults] = [0, 0, 0];
      const over = new AbortController();
      const shop = running.client;
      await fillShelf(shop);
      const striking = strikeAll();
      const market = { shop, say, onRush: () => (rushes += 1), onPaid: () => (paid += 1) };
      const closed: Closed[] = [];
      const buyers: Buyer[] = [];
      const untilOver = async (trade: () => Promise<void>) => {
        while ((faults < WANTED || paid < ORDERS) && !over.signal.aborted) await trade();
      };
      const sales = [
        ...Array.from({ length: SALES_AT_ONCE }, () => () => sellOut(market, SALE)),
        () => sellOut(market, QUEUED),
        () => sellTwice(market, SOLD_TWICE),
        () => sellToDawdlers(market, DAWDLERS),
      ];
      const trades = [
        ...sales.map(sell => async () => void closed.push(await sell())),
        async () => void buyers.push(...(await orderAndChangeMind(market))),
      ];
      const gone = running.ended().then(code => Promise.reject(new Error(`the launcher ended: ${code}`)));
      gone.catch(() => undefined);
      try {
        await Promise.race([Promise.all(trades.map(untilOver)), gone]);
      } finally {
        over.abort();
        await striking;
      }
      const last = await runFlashSale(shop, { sku: 'demo.PHONE', stock: 50, shoppers: 100, say });
      const seconds = Math.round((performance.now() - startedAt) / 1_000);
      const rows = Object.entries(struck).map(([name, count]) => [name, String(count)]);
      process.stderr.write(`${table(rows)}\n`);
      process.stderr.write(`${faults} faults over ${paid} paid orders in ${seconds} s\n`);
      if (!last.audit.clean) process.stderr.write(`${auditReport(last.audit)}\n`);

      expect(auditReport(last.audit)).toContain('audit: clean');
      expect(faults).toBeGreaterThanOrEqual(WANTED);
      const kinds = Object.keys(catalogue);
      if (WANTED >= kinds.length) expect(new Set(Object.keys(struck))).toEqual(new Set(kinds));
      // What a campaign has left is what its buyers have not kept, to the unit.
      await inParallel(closed, 8, async ({ campaignId, stock, sold }) => {
        const left = { campaignId, stock, available: stock - sold, reserved: 0, sold };
        expect({ campaignId, ...(await campaignOf(shop, campaignId)) }).toEqual(left);
      });
      await expectShelf(shop, buyers);
      expect(last.won).toHaveLength(50);
      expect(last.paid).toBe(50);
      passed = true;

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
          const [rush, count] = [rushes + 1, paid + ORDERS_A_FAULT * 2 * random.next()];
          await until(random.next() < 0.5 ? () => rushes >= rush : () => paid >= count);
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

      async function until(reached: () => boolean): Promise<void> {
        const latest = performance.now() + LONGEST_PAUSE_MS;
        while (!reached() && performance.now() < latest && !over.signal.aborted)
          await new Promise(done => setTimeout(done, 20));
      }
    },
    LONG ? 3_600_000 : 600_000,
  );
});

/** A line for whoever watches a long run. */
function say(line: string): void {
  if (LONG || process.env['CHAOS_SAY']) process.stderr.write(`${line}\n`);
}
