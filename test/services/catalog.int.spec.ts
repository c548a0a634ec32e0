import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  ChangeStock,
  ClosePublication,
  getAuditReport,
  GetProduct,
  GetPublication,
  ListProducts,
  OpenPublication,
  OrderPlaced,
  type PublicationRow,
  StageChunk,
} from '#contracts';
import { eventually, ServiceHarness } from '#testkit';
import { CatalogConfig } from '../../apps/catalog/src/catalog.config.js';
import { catalogDatabase } from '../../apps/catalog/src/catalog.database.js';
import { CatalogModule } from '../../apps/catalog/src/catalog.module.js';

describe('publications', () => {
  let harness: ServiceHarness;

  beforeEach(async () => {
    harness = await ServiceHarness.start({
      module: CatalogModule,
      migrations: catalogDatabase.migrations,
      config: DATABASE_URL => CatalogConfig.parse({ DATABASE_URL }),
    });
  });

  afterEach(async () => {
    try {
      await harness.settled();
      // Whatever was published, and in whatever order.
      const { numbers } = await harness.ask(getAuditReport('catalog'), {});
      expect(numbers).toMatchObject({ skusOff: 0, changesOff: 0, chunksLeft: 0, rowsLost: 0 });
    } finally {
      await harness.stop();
    }
  });

  const line = (number: number, code: string, title: string, stock = 5): PublicationRow => ({
    line: number,
    values: { code, title, priceMinor: 100, currency: 'GBP', stock },
  });
  const open = async () => {
    const publicationId = randomUUID();
    await harness.ask(OpenPublication, { publicationId, store: 'uk' });
    return publicationId;
  };
  const stage = async (publicationId: string, rows: PublicationRow[], size = 500) => {
    for (let chunk = 0; chunk * size < rows.length; chunk += 1) {
      const part = rows.slice(chunk * size, (chunk + 1) * size);
      await harness.ask(StageChunk, { publicationId, chunk, rows: part });
    }
    await harness.ask(ClosePublication, { publicationId });
  };
  const done = (publicationId: string) =>
    eventually(
      () => harness.ask(GetPublication, { publicationId }),
      view => view.status === 'published',
    );
  const product = (code: string) => harness.ask(GetProduct, { sku: `uk.${code}` });

  it('of which the later one wins, whichever is handled first', async () => {
    const [older, newer] = [await open(), await open()];
    await stage(newer, [line(2, 'A', 'new', 9), line(3, 'B', 'only new')]);
    await done(newer);
    await stage(older, [line(2, 'A', 'old', 4), line(3, 'C', 'only old')]);
    expect(await done(older)).toMatchObject({
      published: 1,
      rejected: 1,
      rejectedRows: [{ line: 2, reason: 'a later publication has this product' }],
    });
    expect(await product('A')).toMatchObject({ title: 'new', available: 9 });
    expect(await product('C')).toMatchObject({ title: 'only old' });
  });

  it('keep an older one out also by a product that did not change', async () => {
    const first = await open();
    await stage(first, [line(2, 'A', 'same')]);
    await done(first);
    const [older, newer] = [await open(), await open()];
    await stage(newer, [line(2, 'A', 'same')]);
    expect(await done(newer)).toMatchObject({ published: 0, unchanged: 1 });
    await stage(older, [line(2, 'A', 'old')]);
    await done(older);
    expect(await product('A')).toMatchObject({ title: 'same' });
  });

  it("that overlap open a new product with the later one's stock", async () => {
    const [older, newer] = [await open(), await open()];
    await stage(older, [line(2, 'A', 'old', 4)]);
    await done(older);
    await stage(newer, [line(2, 'A', 'new', 9)]);
    await done(newer);
    expect(await product('A')).toMatchObject({ title: 'new', available: 9 });
    const next = await open();
    await stage(next, [line(2, 'A', 'newer', 50)]);
    await done(next);
    // It was there when this one began: an existing product keeps its stock.
    expect(await product('A')).toMatchObject({ title: 'newer', available: 9 });
  });

  it.each([1, 2, 500])('have the first of several lines with one code, in chunks of %d', async size => {
    const publicationId = await open();
    const rows = [
      line(2, 'A', 'first', 1),
      line(3, 'B', 'other'),
      line(4, 'A', 'second', 2),
      line(5, 'A', 'third', 3),
    ];
    await stage(publicationId, rows, size);
    const same = 'line 2 has the same code';
    expect(await done(publicationId)).toMatchObject({
      received: 4,
      published: 2,
      unchanged: 0,
      rejected: 2,
      rejectedRows: [
        { line: 4, reason: same },
        { line: 5, reason: same },
      ],
    });
    expect(await product('A')).toMatchObject({ title: 'first', available: 1 });
  });

  it('that fall silent are broken, and take no more', async () => {
    const publicationId = await open();
    await harness.ask(StageChunk, { publicationId, chunk: 0, rows: [line(2, 'A', 'x')] });
    await harness.database.query("UPDATE publication SET heard_at = now() - interval '11 minutes'");
    expect(await harness.ask(GetPublication, { publicationId })).toMatchObject({
      status: 'broken',
      problem: expect.stringContaining('nothing arrived'),
    });
    // A chunk that is there is there.
    await harness.ask(StageChunk, { publicationId, chunk: 0, rows: [line(2, 'A', 'x')] });
    const more = harness.ask(StageChunk, { publicationId, chunk: 1, rows: [line(3, 'B', 'y')] });
    await expect(more).rejects.toMatchObject({ code: 'publication_closed' });
    await harness.ask(ClosePublication, { publicationId });
    expect(await harness.ask(GetPublication, { publicationId })).toMatchObject({ status: 'broken' });
  });

  it('are searched alike whichever case a title and a word are in', async () => {
    const publicationId = await open();
    await stage(publicationId, [
      line(2, 'A', 'İstanbul lamp'),
      line(3, 'B', 'ÇAY GLASS'),
      line(4, 'C', 'ΟΔΟΣ'),
    ]);
    await done(publicationId);
    const found = async (query: string) =>
      (await harness.ask(ListProducts, { limit: 10, query })).products.map(({ sku }) => sku);
    for (const query of ['İstanbul', 'İSTANBUL', 'lamp', 'LAMP'])
      expect(await found(query)).toEqual(['uk.A']);
    for (const query of ['çay', 'ÇAY', 'glass']) expect(await found(query)).toEqual(['uk.B']);
    expect(await found('ΟΔΟΣ')).toEqual(['uk.C']);
  });

  it('that overlap leave what was sold meanwhile, as the stock that was there', async () => {
    const [older, newer] = [await open(), await open()];
    await stage(older, [line(2, 'A', 'old', 4)]);
    await done(older);
    const items = [{ sku: 'uk.A', quantity: 3 }];
    const placedAt = new Date().toISOString();
    const order = {
      orderId: randomUUID(),
      buyerId: 'ann',
      origin: { kind: 'ordinary' as const },
      items,
      placedAt,
    };
    await harness.deliver(OrderPlaced, order);
    await stage(newer, [line(2, 'A', 'new', 2)]);
    await done(newer);
    expect(await product('A')).toMatchObject({ available: 0 });
    const change = { changeId: randomUUID(), sku: 'uk.A', by: 5, reason: 'counted' };
    expect(await harness.ask(ChangeStock, change)).toMatchObject({ available: 5 });
  });

  it('leave stock that is then changed by hand, once for each change, never below nothing', async () => {
    const publicationId = await open();
    await stage(publicationId, [line(2, 'A', 'x', 5)]);
    await done(publicationId);
    const change = { changeId: randomUUID(), sku: 'uk.A', by: -3, reason: 'counted' };
    for (let time = 0; time < 2; time += 1)
      expect(await harness.ask(ChangeStock, change)).toEqual({ sku: 'uk.A', available: 2 });
    const tooMuch = harness.ask(ChangeStock, { ...change, changeId: randomUUID() });
    await expect(tooMuch).rejects.toMatchObject({ code: 'not_enough_stock' });
    expect(await product('A')).toMatchObject({ available: 2 });
    const unknown = harness.ask(ChangeStock, { ...change, changeId: randomUUID(), sku: 'uk.Z' });
    await expect(unknown).rejects.toMatchObject({ code: 'product_not_found' });
  });
});
