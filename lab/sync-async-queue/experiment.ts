import { z } from 'zod';
import { aCampaign, type Buyer, inParallel } from '#shop-kit';
import { defineExperiment } from '../frame/experiment.js';
import type { Stage } from '../frame/stage.js';

type Sized = Readonly<Record<'clicks' | 'everyMs', number>>;
type Mode = 'sync' | 'async' | 'queue';
type Figures = Readonly<
  Record<'clicks' | 'refused' | 'p50Ms' | 'p99Ms' | 'queueP50Ms' | 'forNobody' | 'undone', number>
>;

/** A campaign, and how its clicks were answered. */
interface Sale {
  readonly campaignId: string;
  readonly mode: Mode;
  refused: number;
  readonly latenciesMs: number[];
}

interface Scene {
  readonly buyers: readonly Buyer[];
  readonly sales: readonly Sale[];
}

const AT_ONCE = 32;
/** The SMS gateway is slow, and answers every other call with an error. */
const WEAK = { delayMs: 100, failRate: 0.5 };

const Campaign = z.object({ stock: z.int(), available: z.int() });
const Naive = z.object({
  naive: z.array(z.object({ campaignId: z.string(), orders: z.record(z.string(), z.int().nullable()) })),
});

export default defineExperiment<Sized, Scene, Figures>({
  name: 'sync-async-queue',
  question: 'What does a buyer pay for everything that has to happen after a click?',
  arms: {
    naive: 'risk, stock, order, text message and statistics one after the other, while the buyer waits',
    ours: 'the same load in mode async, and again in mode queue: the rest follows through the queue',
  },
  sizes: { small: { clicks: 24, everyMs: 5 }, full: { clicks: 2_000, everyMs: 2 } },
  shop: { lab: true },
  series: { answered: 'Clicks answered 201', latency: 'Answer to a click, ms' },
  figures: {
    clicks: 'clicks in each mode, with enough stock for all',
    refused: 'clicks that were not answered 201',
    p50Ms: 'ms to an answer, median',
    p99Ms: 'ms to an answer, 99th percentile',
    queueP50Ms: 'ms to an answer in mode queue, median (0: naive has none)',
    forNobody: 'pieces reserved for buyers who were told that it failed',
    undone: 'orders of which a later step was never done',
  },
  invariants: [
    { name: 'a weak SMS gateway costs no sale', naive: 'breaks', holds: ({ refused }) => refused === 0 },
    {
      name: 'who is refused has nothing reserved',
      naive: 'breaks',
      holds: ({ forNobody }) => forNobody === 0,
    },
    { name: 'every step of every order is done', naive: 'breaks', holds: ({ undone }) => undone === 0 },
  ],

  async scene({ arm, size, shop }): Promise<Scene> {
    const { client } = shop;
    const buyers = await inParallel(Array(size.clicks).keys(), AT_ONCE, () => client.buyer());
    const modes: readonly Mode[] = arm === 'naive' ? ['sync'] : ['async', 'queue'];
    const sales = await inParallel(modes, 1, async mode => ({
      campaignId: await client.operator.openCampaign(aCampaign({ mode, stock: size.clicks })),
      mode,
      refused: 0,
      latenciesMs: [],
    }));
    return { buyers, sales };
  },

  async load(stage, { buyers, sales }) {
    await stage.shop.faults.outside('sms', WEAK);
    stage.mark('the SMS gateway is weak');
    for (const sale of sales) {
      stage.mark(`mode ${sale.mode}`);
      await Promise.all(buyers.map((buyer, n) => click(stage, sale, buyer, n)));
    }
    await stage.shop.faults.repair('sms');
    stage.mark('the SMS gateway is well');
  },

  async measure({ arm, size, shop }, { sales }) {
    const audit = await shop.audit();
    const broken = audit.invariants.filter(({ holds }) => !holds).length + (audit.settled ? 0 : 1);
    const [first] = sales;
    const sorted = sales.map(({ latenciesMs }) => [...latenciesMs].sort((one, other) => one - other));
    const at = (place: number, share: number) =>
      Math.round(sorted[place]?.[Math.floor(sorted[place].length * share)] ?? 0);
    let forNobody = 0;
    for (const { campaignId, refused } of sales) {
      const { stock, available } = Campaign.parse(await shop.client.get(`/api/campaigns/${campaignId}`));
      forNobody += stock - available - (size.clicks - refused);
    }
    return {
      clicks: size.clicks,
      refused: sales.reduce((sum, { refused }) => sum + refused, 0),
      p50Ms: at(0, 0.5),
      p99Ms: at(0, 0.99),
      queueP50Ms: at(1, 0.5),
      forNobody,
      undone: arm === 'naive' ? await undoneOf(shop, first!.campaignId) : broken,
    };
  },

  inWords: (naive, ours) =>
    `While every other call of the SMS gateway failed, ${naive.refused} of ${naive.clicks} buyers of the naive way were told that it had ` +
    `failed; ${naive.forNobody} pieces were reserved for them all the same, and ${naive.undone} orders were never finished. The median answer ` +
    `took ${naive.p50Ms} ms. In mode async it took ${ours.p50Ms} ms and in mode queue ${ours.queueP50Ms} ms, everybody was served, and what the ` +
    `gateway had refused was done when it was well again.`,
});

/** Clicks come when they come: nobody waits for those before. */
async function click(stage: Stage<Sized>, sale: Sale, { token }: Buyer, n: number): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, n * stage.size.everyMs));
  const startedAt = performance.now();
  const path = `/api/campaigns/${sale.campaignId}/orders`;
  const { status } = await stage.shop.client.call('POST', path, { token, body: { quantity: 1 } });
  const tookMs = performance.now() - startedAt;
  sale.latenciesMs.push(tookMs);
  stage.record('latency', tookMs);
  if (status === 201) stage.count('answered');
  else sale.refused += 1;
}

/** Orders whose stock is taken and whose last step was never done. */
async function undoneOf({ client }: Stage['shop'], campaignId: string): Promise<number> {
  const answer = await client.get('/api/admin/audit', await client.asOperator());
  const books = Naive.parse(answer).naive.find(each => each.campaignId === campaignId);
  return (books?.orders['seckill'] ?? 0) - (books?.orders['statistics'] ?? 0);
}
