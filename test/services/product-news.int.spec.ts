import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  ChangeStock,
  ClosePublication,
  GetPublication,
  OpenPublication,
  OrderCancelled,
  OrderPaid,
  OrderPlaced,
  OrderRefunded,
  ProductsChanged,
  StageChunk,
} from '#contracts';
import { eventually, Gate, ServiceHarness } from '#testkit';
import { CatalogConfig } from '../../apps/catalog/src/catalog.config.js';
import { catalogDatabase } from '../../apps/catalog/src/catalog.database.js';
import { CatalogModule } from '../../apps/catalog/src/catalog.module.js';
import { ProductNews } from '../../apps/catalog/src/news/product-news.js';
import { anOrderPaid, itsRefund } from './builders.js';

describe('news of products', () => {
  let harness: ServiceHarness;

  beforeEach(async () => {
    harness = await ServiceHarness.start({
      module: CatalogModule,
      migrations: catalogDatabase.migrations,
      config: DATABASE_URL => CatalogConfig.parse({ DATABASE_URL }),
      publishes: [ProductsChanged],
    });
    await publish({ A: 100, B: 100, C: 100 });
  });

  afterEach(() => harness.stop());

  async function publish(prices: Readonly<Record<string, number>>): Promise<void> {
    const publicationId = randomUUID();
    await harness.ask(OpenPublication, { publicationId, store: 'uk' });
    const rows = Object.entries(prices).map(([code, priceMinor], n) => ({
      line: n + 2,
      values: { code, title: code, priceMinor, currency: 'GBP', stock: 1_000 },
    }));
    await harness.ask(StageChunk, { publicationId, chunk: 0, rows });
    await harness.ask(ClosePublication, { publicationId });
    await eventually(
      () => harness.ask(GetPublication, { publicationId }),
      ({ status }) => status === 'published',
    );
  }
  const changeStock = (sku: string) =>
    harness.ask(ChangeStock, { changeId: randomUUID(), sku, by: 1, reason: 'counted' });
  /** The products of each event, once there are as many events. */
  const told = async (count: number) =>
    (await harness.publishedOf(ProductsChanged, count)).map(({ skus }) => skus);

  it('name what a publication has changed, and neither what is new nor what is as it was', async () => {
    await publish({ A: 100, B: 90, D: 100 });
    expect(await told(1)).toEqual([['uk.B']]);
  });

  it('follow every change of the available stock: by hand, by an order, its cancellation, its refund', async () => {
    await changeStock('uk.C');
    expect(await told(1)).toEqual([['uk.C']]);
    const items = [{ sku: 'uk.A', quantity: 1 }];
    const placedAt = new Date().toISOString();
    const order = (orderId: string) =>
      ({ orderId, buyerId: 'ann', origin: { kind: 'ordinary' }, items }) as const;
    const paid = anOrderPaid();
    const [cancelled, bought] = [order(randomUUID()), order(paid.orderId)];
    await harness.deliver(OrderPlaced, { ...cancelled, placedAt });
    expect(await told(2)).toEqual([['uk.C'], ['uk.A']]);
    await harness.deliver(OrderCancelled, { ...cancelled, reason: 'buyer', cancelledAt: placedAt });
    expect(await told(3)).toHaveLength(3);
    await harness.deliver(OrderPlaced, { ...bought, placedAt });
    expect(await told(4)).toHaveLength(4);
    // A payment moves nothing that anybody sees.
    await harness.deliver(OrderPaid, paid);
    await harness.deliver(OrderRefunded, itsRefund(paid));
    expect((await told(5)).slice(2)).toEqual([['uk.A'], ['uk.A'], ['uk.A']]);
  });

  it('never come before the commit of what they tell, not even for a product that is to be told of anyway', async () => {
    const gate = new Gate();
    const noted = new Gate();
    await harness.database.query("INSERT INTO product_news (sku) VALUES ('uk.A')");
    const changing = harness.database.transaction(async tx => {
      await harness.app.get(ProductNews).note(tx, ['uk.A']);
      noted.release();
      await gate.opened;
    });
    await noted.opened;
    await changeStock('uk.B');
    expect(await told(1)).toEqual([['uk.B']]);
    gate.release();
    await changing;
    expect(await told(2)).toEqual([['uk.B'], ['uk.A']]);
  });

  it('are few for a rush of changes of one product', async () => {
    await Promise.all(Array.from({ length: 50 }, () => changeStock('uk.A')));
    await eventually(
      () => harness.database.query('SELECT FROM product_news') as Promise<object[]>,
      waiting => waiting.length === 0,
    );
    expect((await told(1)).length).toBeLessThan(25);
  });
});
