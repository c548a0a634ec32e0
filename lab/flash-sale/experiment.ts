import type { Pool } from 'pg';
import { ShopClient } from '#shop-kit';
import { defineExperiment } from '../frame/experiment.js';
import type { Stage } from '../frame/stage.js';
import { campaignOf, runFlashSale } from './flash-sale.js';

interface Scene {
  readonly database: Pool;
  /** Where the naive seller listens. */
  readonly seller: ShopClient | undefined;
  figures: Sales;
}

type Sized = Readonly<Record<'stock' | 'shoppers', number>>;
type Sales = Readonly<
  Record<'stock' | 'clicks' | 'sold' | 'oversold' | 'twice' | 'books' | 'rushMs', number>
>;

const SCHEMA = `
CREATE TABLE campaign (available int NOT NULL);
CREATE TABLE purchase (id bigint GENERATED ALWAYS AS IDENTITY, buyer_id text NOT NULL)`;
/** Every so many shoppers, one clicks twice at the same moment. */
const TWICE = 10;
const CONNECTIONS = 500;
const NOTHING: Sales = { stock: 0, clicks: 0, sold: 0, oversold: 0, twice: 0, books: 0, rushMs: 0 };

export default defineExperiment<Sized, Scene, Sales>({
  name: 'flash-sale',
  question: 'Is exactly the stock sold, once to each buyer, when everyone clicks at once?',
  arms: {
    naive: 'reads what is left, then writes one less',
    ours: 'the shop: one conditional UPDATE with the reservations and the outbox in one transaction',
  },
  sizes: {
    small: { stock: 50, shoppers: 400 },
    full: { stock: 500, shoppers: 5_000 },
  },
  series: { sold: 'Pieces sold' },
  figures: {
    stock: 'pieces',
    clicks: 'clicks',
    sold: 'pieces sold',
    oversold: 'pieces sold that do not exist',
    twice: 'buyers who got more than the one that is allowed',
    books: 'pieces by which the books are wrong, or invariants of the audit that do not hold',
    rushMs: 'ms until the last click had its answer',
  },
  invariants: [
    { name: 'no more is sold than there is', naive: 'breaks', holds: ({ oversold }) => oversold === 0 },
    { name: 'no buyer gets more than allowed', naive: 'breaks', holds: ({ twice }) => twice === 0 },
    { name: 'the books agree', naive: 'breaks', holds: ({ books }) => books === 0 },
    { name: 'everything is sold', naive: 'keeps', holds: ({ sold, stock }) => sold >= stock },
  ],

  async scene(stage): Promise<Scene> {
    const { url, database } = await stage.database(SCHEMA);
    if (stage.arm === 'ours') return { database, seller: undefined, figures: NOTHING };
    await database.query('INSERT INTO campaign (available) VALUES ($1)', [stage.size.stock]);
    const program = await stage.start('flash-sale/naive-seller', { DATABASE_URL: url });
    const { count: port } = await program.report('ready');
    const seller = new ShopClient(`http://127.0.0.1:${port}`, '', { connections: CONNECTIONS });
    stage.onEnd(() => seller.close());
    return { database, seller, figures: NOTHING };
  },

  async load(stage, scene) {
    scene.figures =
      scene.seller === undefined ? await ourSale(stage) : await naiveSale(stage, scene, scene.seller);
  },

  async measure(_, { figures }) {
    return figures;
  },

  inWords: (naive, ours) =>
    `Of ${naive.stock} pieces the naive seller sold ${naive.sold}, ${naive.oversold} of which do not exist. The shop sold ${ours.sold} of ` +
    `${ours.stock}, each to another buyer, and its audit found ${ours.books === 0 ? 'nothing' : `${ours.books} problems`}.`,
});

async function naiveSale(stage: Stage<Sized>, { database }: Scene, seller: ShopClient): Promise<Sales> {
  const { stock, shoppers } = stage.size;
  const buyers = Array.from({ length: shoppers }, (_, n) => `shopper-${n}`);
  const clicks = buyers.flatMap((buyer, n) => (n % TWICE === 0 ? [buyer, buyer] : [buyer]));
  const startedAt = performance.now();
  await Promise.all(
    clicks.map(async buyerId => {
      const { status } = await seller.call('POST', '/', { body: { buyerId } });
      if (status === 201) stage.count('sold');
    }),
  );
  const rushMs = Math.round(performance.now() - startedAt);
  const { rows } = await database.query<{ sold: number; buyers: number; available: number }>(
    `SELECT count(*)::int AS sold, count(DISTINCT buyer_id)::int AS buyers,
            (SELECT available FROM campaign) AS available FROM purchase`,
  );
  const { sold, available, buyers: different } = rows[0]!;
  return {
    stock,
    clicks: clicks.length,
    sold,
    oversold: Math.max(0, sold - stock),
    twice: sold - different,
    books: Math.abs(stock - available - sold),
    rushMs,
  };
}

async function ourSale(stage: Stage<Sized>): Promise<Sales> {
  const { stock, shoppers } = stage.size;
  const shop = stage.shop.connect({ connections: CONNECTIONS });
  const { campaignId, won, answers, audit, rushMs } = await runFlashSale(shop, {
    sku: 'demo.PHONE',
    stock,
    shoppers,
    say: line => stage.say(line),
    onSold: () => stage.count('sold'),
  });
  const { available } = await campaignOf(shop, campaignId);
  await shop.close();
  const broken = audit.invariants.filter(({ holds }) => !holds).length + (audit.settled ? 0 : 1);
  return {
    stock,
    clicks: Object.values(answers).reduce((sum, count) => sum + count, 0),
    sold: won.length,
    oversold: Math.max(0, won.length - stock),
    twice: won.length - new Set(won.map(({ buyer }) => buyer.userId)).size,
    books: Math.abs(stock - available - won.length) + broken,
    rushMs,
  };
}
