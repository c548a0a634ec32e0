import { beforeEach, describe, expect, it } from '@jest/globals';
import type { HotItemsListed, ProductView } from '#contracts';
import { type RequestClient, ServiceUnavailable } from '#requests';
import { Random } from '../../../../test/chaos/random.js';
import { GatewayConfig } from '../gateway.config.js';
import { HotItems } from './hot-items.js';
import { ProductCache } from './product-cache.js';

const AGE_MS = 1_000;
const config = GatewayConfig.parse({
  SLUICE_INSTANCE: 'test',
  SESSION_SECRET: 'x'.repeat(32),
  OPERATOR_PASSWORD: 'x'.repeat(8),
  SANDBOX_PUBLIC_URL: 'http://127.0.0.1',
  GATEWAY_HOT_AGE_MS: String(AGE_MS),
});

const aProduct = (sku: string, priceMinor: number): ProductView => ({
  sku,
  store: 'uk',
  title: sku,
  priceMinor,
  currency: 'GBP',
  available: 5,
});

function listOf(version: number, ...skus: string[]): HotItemsListed {
  const items = skus.map(sku => ({ sku, count: 100, error: 0, since: '2026-01-01T00:00:00Z' }));
  return { version, listedAt: '2026-01-01T00:00:00Z', windowMs: 60_000, items, cooled: [] };
}

/** A question to the catalog that waits for its answer. */
interface Asked {
  readonly sku: string;
  answer(price: number): void;
  fail(): void;
}

describe('the copies of hot products', () => {
  let asked: Asked[];
  let hot: HotItems;
  let cache: ProductCache;

  beforeEach(() => {
    asked = [];
    const ask = (_: unknown, { sku }: { sku: string }) =>
      new Promise<ProductView>((resolve, reject) =>
        asked.push({
          sku,
          answer: price => resolve(aProduct(sku, price)),
          fail: () => reject(new ServiceUnavailable('catalog', 'away')),
        }),
      );
    hot = new HotItems();
    cache = new ProductCache(hot, { ask } as unknown as RequestClient, config);
    hot.learn(listOf(1, 'uk.A'));
  });

  const get = async (now: number, sku = 'uk.A') => {
    const { product, served } = await cache.get(sku, now);
    return [product.priceMinor, served.from] as const;
  };
  /** Asks the catalog, which answers this. */
  const read = async (now: number, price: number) => {
    const reading = get(now);
    asked.at(-1)!.answer(price);
    return reading;
  };

  it('are served until they are too old, counted from before the catalog was asked', async () => {
    expect(await read(0, 10)).toEqual([10, 'catalog']);
    expect(await cache.get('uk.A', AGE_MS - 1)).toMatchObject({
      product: { priceMinor: 10 },
      served: { from: 'memory', ageMs: AGE_MS - 1, leftMs: 1 },
    });
    expect(await read(AGE_MS, 11)).toEqual([11, 'catalog']);
    expect(await get(AGE_MS)).toEqual([11, 'memory']);
  });

  it('are of hot products alone, and are forgotten when these cool down', async () => {
    const cold = get(0, 'uk.B');
    asked.at(-1)!.answer(20);
    expect(await cold).toEqual([20, 'catalog-uncached']);
    await read(0, 10);
    expect(cache.size).toBe(1);
    hot.learn(listOf(2, 'uk.B'));
    cache.forgetCooled();
    expect(cache.size).toBe(0);
  });

  it('are dropped when the product changes', async () => {
    await read(0, 10);
    cache.drop(['uk.A']);
    expect(await read(1, 11)).toEqual([11, 'catalog']);
  });

  it('are asked for once by all who ask at the same time', async () => {
    const all = [get(0), get(1), get(2)];
    expect(asked).toHaveLength(1);
    asked[0]!.answer(10);
    const others = [10, 'catalog-with-others'];
    expect(await Promise.all(all)).toEqual([[10, 'catalog'], others, others]);
  });

  it('are not kept of an answer that was under way when the product changed, nor given to who asks after it', async () => {
    const before = get(0);
    cache.drop(['uk.A']);
    const after = get(1);
    expect(asked).toHaveLength(2);
    // The old answer comes last.
    asked[1]!.answer(11);
    expect(await after).toEqual([11, 'catalog']);
    asked[0]!.answer(10);
    expect(await before).toEqual([10, 'catalog']);
    expect(await get(2)).toEqual([11, 'memory']);
  });

  it('do not remember a failure', async () => {
    const failing = [get(0), get(0)];
    asked[0]!.fail();
    for (const each of failing) await expect(each).rejects.toBeInstanceOf(ServiceUnavailable);
    expect(await read(1, 10)).toEqual([10, 'catalog']);
  });

  it.each(Array.from({ length: 30 }, (_, seed) => seed))(
    'are never older than their age, whatever news is lost or late (seed %d)',
    async seed => {
      const random = new Random(seed);
      /** When each price came into force: the price is its place. */
      const since = [0];
      let now = 0;
      const waiting: { index: number; price: number }[] = [];
      const answers: Promise<void>[] = [];
      for (let step = 0; step < 300; step += 1) {
        now += random.next() * 200;
        const happens = random.next();
        if (happens < 0.1) {
          since.push(now);
          if (random.next() < 0.5) cache.drop(['uk.A']);
        } else if (happens < 0.4 && waiting.length > 0) {
          // It was read at some time since it was asked for: the oldest price that is possible.
          const { index, price } = waiting.splice(Math.floor(random.next() * waiting.length), 1)[0]!;
          asked[index]!.answer(price);
          await new Promise(resolve => setImmediate(resolve));
        } else {
          const oldest = since.findLastIndex(at => at <= now - AGE_MS);
          const count = asked.length;
          answers.push(get(now).then(([price]) => expect(price).toBeGreaterThanOrEqual(Math.max(oldest, 0))));
          if (asked.length > count) waiting.push({ index: count, price: since.length - 1 });
        }
      }
      for (const { index, price } of waiting) asked[index]!.answer(price);
      await Promise.all(answers);
    },
  );
});

describe('the list of hot products', () => {
  it('is the one with the highest version, in whatever order they come', () => {
    const hot = new HotItems();
    hot.learn(listOf(2, 'uk.B'), 0);
    hot.learn(listOf(1, 'uk.A'), 1);
    expect(hot.current(2)).toMatchObject({ version: 2 });
    expect([hot.has('uk.A', 2), hot.has('uk.B', 2)]).toEqual([false, true]);
    hot.learn(listOf(3), 3);
    expect(hot.has('uk.B', 4)).toBe(false);
  });

  it('is no longer believed when nobody renews it, and then believes whoever tells one', () => {
    const hot = new HotItems();
    hot.learn(listOf(9, 'uk.A'), 0);
    expect(hot.has('uk.A', 14_999)).toBe(true);
    expect(hot.has('uk.A', 15_000)).toBe(false);
    hot.learn(listOf(1, 'uk.B'), 15_000);
    expect(hot.has('uk.B', 15_000)).toBe(true);
  });
});
