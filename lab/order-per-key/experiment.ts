import type { Pool } from 'pg';
import { until } from '#shop-kit';
import { defineExperiment } from '../frame/experiment.js';
import { messageOf } from '../frame/messages.js';
import { priceChanged, SCHEMA } from './price-changed.js';

interface Scene {
  readonly url: string;
  readonly database: Pool;
}

const CONSUMERS = { naive: 'order-per-key/naive-consumer', ours: 'order-per-key/parking-consumer' };
const LONGEST_MS = 120_000;

/** Those that came after a later one of their product. */
const OUT_OF_ORDER = `
SELECT count(*)::int AS count FROM (
  SELECT version, max(version) OVER (PARTITION BY sku ORDER BY id) AS highest FROM applied
) AS each_one WHERE version < highest`;

export default defineExperiment({
  name: 'order-per-key',
  question: 'Do the changes of one product take effect in order when some of them have to be tried again?',
  arms: {
    naive: 'sends a message that failed to the end of the queue',
    ours: 'parks it at its place; later messages of its key line up behind it',
  },
  sizes: {
    small: { products: 10, changes: 10, failEvery: 5 },
    full: { products: 100, changes: 50, failEvery: 5 },
  },
  series: { applied: 'Changes that took effect' },
  figures: {
    changes: 'price changes',
    failures: '… that failed the first time',
    applied: 'changes that took effect',
    outOfOrder: 'changes that came after a later one of their product',
    stale: 'products that end with an old price',
  },
  invariants: [
    {
      name: 'changes of one product take effect in order',
      naive: 'breaks',
      holds: ({ outOfOrder }) => outOfOrder === 0,
    },
    { name: 'every product ends with its last price', naive: 'breaks', holds: ({ stale }) => stale === 0 },
    {
      name: 'every change takes effect once',
      naive: 'keeps',
      holds: ({ applied, changes }) => applied === changes,
    },
  ],

  async scene(stage): Promise<Scene> {
    const database = await stage.database(SCHEMA);
    const queue = await stage.queue();
    const PriceChanged = priceChanged(stage.topic);
    await queue.ensureTopics([{ name: stage.topic, partitions: 4 }]);
    const { products, changes } = stage.size;
    for (let version = 0; version < changes; version += 1) {
      const all = Array.from({ length: products }, (_, n) => ({ sku: `product-${n}`, version }));
      await queue.publish(all.map(change => messageOf(PriceChanged, change)));
    }
    return database;
  },

  async load(stage, { url, database }) {
    const { products, changes, failEvery } = stage.size;
    const consumer = await stage.start(CONSUMERS[stage.arm], {
      DATABASE_URL: url,
      // The last change of each product that fails is its last one.
      LAB_FAIL_EVERY: String(failEvery),
    });
    let applied = 0;
    consumer.onReport(({ kind }) => {
      if (kind !== 'applied') return;
      stage.count('applied');
      stage.progress((applied += 1), products * changes);
    });
    await until(
      'every change to take effect',
      async () =>
        (await database.query<{ count: number }>('SELECT count(*)::int AS count FROM applied')).rows[0]!
          .count,
      count => count >= products * changes,
      LONGEST_MS,
    );
    await consumer.stop();
  },

  async measure(stage, { database }) {
    const count = async (sql: string, values: readonly unknown[] = []) =>
      (await database.query<{ count: number }>(sql, [...values])).rows[0]!.count;
    const { products, changes } = stage.size;
    return {
      changes: products * changes,
      failures: await count('SELECT count(*)::int AS count FROM failure'),
      applied: await count('SELECT count(*)::int AS count FROM applied'),
      outOfOrder: await count(OUT_OF_ORDER),
      stale: await count('SELECT count(*)::int AS count FROM price WHERE version <> $1', [changes - 1]),
    };
  },

  inWords: (naive, ours) =>
    `${naive.failures} of ${naive.changes} changes failed once. Sent to the end of the queue, ${naive.outOfOrder} of them came after a ` +
    `later one, and ${naive.stale} products ended with an old price. Parked at their place, it was ${ours.outOfOrder} and ${ours.stale}.`,
});
