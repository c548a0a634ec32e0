import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { HotItemsListed, OrderPlaced, ProductViewed } from '#contracts';
import { Outbox } from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import { eventually, ServiceHarness } from '#testkit';
import { HotItems } from '../../apps/recommendation/src/hot-items/hot-items.js';
import { Interest } from '../../apps/recommendation/src/hot-items/interest.js';
import { RecommendationConfig } from '../../apps/recommendation/src/recommendation.config.js';
import { recommendationDatabase } from '../../apps/recommendation/src/recommendation.database.js';
import { RecommendationModule } from '../../apps/recommendation/src/recommendation.module.js';

describe('hot products', () => {
  let harness: ServiceHarness;

  async function start(windowMs: number): Promise<void> {
    harness = await ServiceHarness.start({
      module: RecommendationModule,
      migrations: recommendationDatabase.migrations,
      config: DATABASE_URL =>
        RecommendationConfig.parse({
          DATABASE_URL,
          HOT_WINDOW_MS: String(windowMs),
          HOT_ENTER: '10',
          HOT_LEAVE: '5',
          HOT_MIN_STAY_MS: '1',
        }),
      publishes: [HotItemsListed],
    });
  }

  afterEach(() => harness.stop());

  const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
  const views = (sku: string, count: number, viewedAt = ago(0)) =>
    Array.from({ length: count }, (_, n) => ({ buyerId: `buyer-${n}`, sku, viewedAt }));
  const order = (...skus: string[]) => ({
    orderId: randomUUID(),
    buyerId: 'ann',
    origin: { kind: 'ordinary' as const },
    items: skus.map(sku => ({ sku, quantity: 100 })),
    placedAt: ago(0),
  });
  const listed = (count: number) => harness.publishedOf(HotItemsListed, count);
  /** The points that are counted now. */
  const counted = async (sku: string) => {
    const rows = (await harness.database.query('SELECT counters FROM interest')) as {
      counters: [string, number, number][];
    }[];
    return rows
      .flatMap(({ counters }) => counters.filter(([key]) => key === sku))
      .reduce((n, [, c]) => n + c, 0);
  };

  it('are told of when they become so, by views and orders, and when they cool down', async () => {
    await start(6_000);
    await harness.deliver(ProductViewed, ...views('uk.A', 11), ...views('uk.B', 4));
    await harness.deliver(OrderPlaced, order('uk.B', 'uk.C'), order('uk.B'));
    const all = await eventually(
      () => listed(1),
      lists => lists.at(-1)!.items.length === 0,
    );
    const most = all.find(({ items }) => items.length === 2)!;
    expect(most).toMatchObject({
      windowMs: 6_000,
      items: [
        { sku: 'uk.B', count: 14, error: 0 },
        { sku: 'uk.A', count: 11, error: 0 },
      ],
      cooled: [],
    });
    expect(all.flatMap(({ cooled }) => cooled).sort()).toEqual(['uk.A', 'uk.B']);
    const versions = all.map(({ version }) => version);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    // Nothing is kept of it.
    expect(await harness.database.query('SELECT FROM hot_item')).toEqual([]);
    await eventually(
      () => harness.database.query('SELECT FROM interest') as Promise<object[]>,
      rows => rows.length === 0,
    );
    // Nor is anything told while nothing is hot.
    expect(await listed(all.length)).toHaveLength(all.length);
    expect(all.filter(({ items }) => items.length === 0)).toHaveLength(1);
  }, 60_000);

  it('cool down although whoever has marked them is gone: an instance that starts finds them', async () => {
    await start(60_000);
    // Nobody is called for this row, as if its instance had been killed.
    await harness.database.query(
      "INSERT INTO hot_item (sku, since) VALUES ('uk.A', now() - interval '1 hour')",
    );
    const { app } = harness;
    const another = new HotItems(app.get(DataSource), app.get(Outbox), app.get(SERVICE_CONFIG));
    another.onApplicationBootstrap();
    try {
      expect(await listed(1)).toMatchObject([{ items: [], cooled: ['uk.A'] }]);
    } finally {
      await another.onModuleDestroy();
    }
  });

  it('are counted once by a message that comes twice, and not by what happened before the window or tomorrow', async () => {
    await start(60_000);
    const [view, other] = views('uk.A', 2) as [ProductViewed, ProductViewed];
    await harness.deliver(ProductViewed, view, other, view);
    await harness.deliver(ProductViewed, view, other);
    await harness.deliver(ProductViewed, ...views('uk.B', 50, ago(61_000)));
    await harness.deliver(ProductViewed, ...views('uk.C', 1, ago(-86_400_000)));
    expect(await Promise.all(['uk.A', 'uk.B', 'uk.C'].map(counted))).toEqual([2, 0, 1]);
    // Tomorrow's is today's: it is forgotten like any other.
    const parts = 'SELECT FROM interest WHERE starts_at > now()';
    expect(await harness.database.query(parts)).toEqual([]);
  });

  it('are counted together by all instances, without a count lost', async () => {
    await start(60_000);
    const interest = harness.app.get(Interest);
    const at = ago(0);
    const signs = ['uk.A', 'uk.B'].map(sku => ({ sku, points: 1, at }));
    await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        harness.database.transaction(tx => interest.count(tx, n % 2 === 0 ? signs : [...signs].reverse())),
      ),
    );
    expect([await counted('uk.A'), await counted('uk.B')]).toEqual([40, 40]);
  });

  it('are told of again while they are hot, for who has missed it', async () => {
    await start(60_000);
    await harness.deliver(ProductViewed, ...views('uk.A', 10));
    const [first] = await listed(1);
    await harness.database.query("UPDATE hot_list SET told_at = now() - interval '6 seconds'");
    const [, again] = await listed(2);
    expect(again).toMatchObject({ items: [{ sku: 'uk.A', since: first!.items[0]!.since }], cooled: [] });
    expect(again!.version).toBeGreaterThan(first!.version);
  });
});
