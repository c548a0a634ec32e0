import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  CancelPublication,
  ClosePublication,
  getAuditReport,
  GetProduct,
  GetPublication,
  ListProducts,
  ListRejectedRows,
  OpenPublication,
  OrderPlaced,
  PausePublication,
  type PublicationRow,
  PublicationsDue,
  ResumePublication,
  StageChunk,
  StockReserved,
} from '#contracts';
import { MessagingMonitor } from '#messaging';
import { eventually, ServiceHarness } from '#testkit';
import { CatalogConfig } from '../../apps/catalog/src/catalog.config.js';
import { catalogDatabase } from '../../apps/catalog/src/catalog.database.js';
import { CatalogModule } from '../../apps/catalog/src/catalog.module.js';

/** Rows a second with which one part is handed over, and the next one only long after the test. */
const CRAWLING = '1';

describe('a publication', () => {
  let harness: ServiceHarness;

  const start = async (PUBLICATION_RATE?: string) => {
    harness = await ServiceHarness.start({
      module: CatalogModule,
      migrations: catalogDatabase.migrations,
      config: DATABASE_URL =>
        CatalogConfig.parse({ DATABASE_URL, ...(PUBLICATION_RATE !== undefined && { PUBLICATION_RATE }) }),
      publishes: [StockReserved],
    });
  };

  afterEach(() => harness.stop());

  const row = (line: number, code: string, more: PublicationRow['values'] = {}): PublicationRow => ({
    line,
    values: { code, title: `Lamp ${code}`, priceMinor: 100, currency: 'GBP', stock: 5, ...more },
  });
  const open = async () => {
    const publicationId = randomUUID();
    await harness.ask(OpenPublication, { publicationId, store: 'uk' });
    return publicationId;
  };
  const stage = (publicationId: string, chunk: number, ...rows: PublicationRow[]) =>
    harness.ask(StageChunk, { publicationId, chunk, rows });
  const view = (publicationId: string) => harness.ask(GetPublication, { publicationId });
  const until = (publicationId: string, status: string) =>
    eventually(
      () => view(publicationId),
      each => each.status === status,
    );
  const publish = async (...rows: PublicationRow[]) => {
    const publicationId = await open();
    await stage(publicationId, 0, ...rows);
    await harness.ask(ClosePublication, { publicationId });
    return until(publicationId, 'published');
  };
  const product = (code: string) => harness.ask(GetProduct, { sku: `uk.${code}` });
  const audited = async () => {
    await harness.settled();
    return (await harness.ask(getAuditReport('catalog'), {})).numbers;
  };
  const ADDS_UP = {
    chunksLeft: 0,
    cancelledOff: 0,
    rowsLost: 0,
    notOnSale: 0,
    pagesMissing: 0,
    picturesMissing: 0,
  };

  it('goes through its steps, and a new product is not there for buyers before the last one', async () => {
    await start();
    const monitor = harness.app.get(MessagingMonitor);
    await monitor.pause('catalog.put-on-sale', 'the test', 'to look');
    const publicationId = await open();
    await stage(publicationId, 0, row(2, 'A'), row(3, 'B'));
    await harness.ask(ClosePublication, { publicationId });
    const before = await eventually(
      () => view(publicationId),
      ({ steps }) => steps.detailPage === 2,
    );
    expect(before).toMatchObject({
      status: 'publishing',
      received: 2,
      published: 0,
      remaining: 2,
      steps: { register: 2, pictures: 2, detailPage: 2, promotion: 0 },
    });
    await expect(product('A')).rejects.toMatchObject({ code: 'product_not_found' });
    expect((await harness.ask(ListProducts, { limit: 10 })).products).toEqual([]);
    await monitor.resume('catalog.put-on-sale', 'the test');
    expect(await until(publicationId, 'published')).toMatchObject({ published: 2, remaining: 0 });
    expect(await product('A')).toMatchObject({ sku: 'uk.A', available: 5 });
    expect(await audited()).toMatchObject(ADDS_UP);
  });

  it('gives each product its pictures, page and promotion, which orders pay', async () => {
    await start();
    await publish(
      row(2, 'A', {
        pictures: 'https://a.example/1.jpg',
        description: 'Made of brass',
        promoPriceMinor: '80',
      }),
      row(3, 'B'),
    );
    expect(await product('A')).toEqual({
      sku: 'uk.A',
      store: 'uk',
      title: 'Lamp A',
      priceMinor: 80,
      regularPriceMinor: 100,
      currency: 'GBP',
      available: 5,
      pictures: ['https://a.example/1.jpg'],
      slug: 'lamp-a-a',
      description: 'Made of brass',
    });
    expect(await product('B')).toMatchObject({ priceMinor: 100, pictures: ['/pictures/none.svg'] });
    const found = await harness.ask(ListProducts, { limit: 10, query: 'BRASS lamp' });
    expect(found.products.map(({ sku }) => sku)).toEqual(['uk.A']);
    const placed = { orderId: randomUUID(), buyerId: 'ann', origin: { kind: 'ordinary' as const } };
    const items = [{ sku: 'uk.A', quantity: 2 }];
    await harness.deliver(OrderPlaced, { ...placed, items, placedAt: new Date().toISOString() });
    const [reserved] = await harness.publishedOf(StockReserved, 1);
    expect(reserved).toMatchObject({ totalMinor: 160, items: [{ unitPriceMinor: 80 }] });
  });

  it('leaves what its list has no column for, and takes away what a cell leaves empty', async () => {
    await start();
    const all = { pictures: 'https://a.example/1.jpg', description: 'Made of brass', promoPriceMinor: 80 };
    await publish(row(2, 'A', all));
    expect(await publish(row(2, 'A', all))).toMatchObject({ published: 0, unchanged: 1 });
    expect(await publish(row(2, 'A'))).toMatchObject({ published: 0, unchanged: 1 });
    expect(await product('A')).toMatchObject({ priceMinor: 80, description: 'Made of brass' });
    for (const change of [{ pictures: '' }, { description: '' }, { promoPriceMinor: '' }]) {
      expect(await publish(row(2, 'A', change))).toMatchObject({ published: 1, unchanged: 0 });
      expect(await publish(row(2, 'A', change))).toMatchObject({ published: 0, unchanged: 1 });
    }
    const plain = await product('A');
    expect(plain).toMatchObject({ priceMinor: 100, pictures: ['/pictures/none.svg'] });
    expect([plain.description, plain.regularPriceMinor]).toEqual([undefined, undefined]);
  });

  it('hands over one part, and the next when the rows of the first have had their time', async () => {
    await start(CRAWLING);
    const publicationId = await open();
    for (const chunk of [0, 1, 2])
      await stage(publicationId, chunk, row(chunk * 2 + 2, `A${chunk}`), row(chunk * 2 + 3, `B${chunk}`));
    await eventually(
      () => view(publicationId),
      ({ published }) => published === 2,
    );
    const [paced] = (await harness.database.query(
      `SELECT count(c.released_at)::int AS released, round(extract(epoch FROM max(t.due_at) - max(c.released_at)))::int AS seconds
       FROM publication_chunk c, messaging.timer t WHERE t.type = $1`,
      [PublicationsDue.type],
    )) as [object];
    expect(paced).toEqual({ released: 1, seconds: 2 });
    expect(await view(publicationId)).toMatchObject({ remaining: 4, secondsLeft: expect.any(Number) });
  });

  it('takes turns with another one', async () => {
    await start('20');
    const [first, second] = [await open(), await open()];
    for (const publicationId of [first, second]) {
      await harness.ask(PausePublication, { publicationId });
      for (const chunk of [0, 1, 2])
        await stage(publicationId, chunk, row(chunk + 2, `${publicationId.slice(0, 6)}-${chunk}`));
      await harness.ask(ClosePublication, { publicationId });
    }
    // While nothing is released, both are resumed.
    const monitor = harness.app.get(MessagingMonitor);
    await monitor.pause('catalog.release-chunks', 'the test', 'to begin with both');
    for (const publicationId of [first, second]) await harness.ask(ResumePublication, { publicationId });
    await monitor.resume('catalog.release-chunks', 'the test');
    for (const publicationId of [first, second])
      expect(await until(publicationId, 'published')).toMatchObject({ published: 3 });
    const released = (await harness.database.query(
      'SELECT chunk FROM publication_chunk ORDER BY released_at, chunk',
    )) as { chunk: number }[];
    expect(released.map(({ chunk }) => chunk)).toEqual([0, 0, 1, 1, 2, 2]);
    expect(await audited()).toMatchObject(ADDS_UP);
  });

  it('stands still while it is paused, and an audit says so', async () => {
    await start();
    const publicationId = await open();
    for (let time = 0; time < 2; time += 1)
      expect(await harness.ask(PausePublication, { publicationId })).toMatchObject({ status: 'paused' });
    await stage(publicationId, 0, row(2, 'A'));
    await harness.ask(ClosePublication, { publicationId });
    expect(await audited()).toMatchObject({ ...ADDS_UP, publicationsPaused: 1 });
    expect(await view(publicationId)).toMatchObject({
      status: 'paused',
      received: 1,
      published: 0,
      remaining: 1,
    });
    const resumed = await harness.ask(ResumePublication, { publicationId });
    expect(['publishing', 'published']).toContain(resumed.status);
    expect(await until(publicationId, 'published')).toMatchObject({ published: 1 });
    expect(await audited()).toMatchObject({ ...ADDS_UP, publicationsPaused: 0 });
    for (const request of [PausePublication, ResumePublication, CancelPublication])
      await expect(harness.ask(request, { publicationId })).rejects.toMatchObject({
        code: 'wrong_publication_state',
      });
  });

  it('that is cancelled leaves what is published, drops what waits, takes no more, and adds up', async () => {
    await start(CRAWLING);
    const publicationId = await open();
    await stage(publicationId, 0, row(2, 'A'), row(3, 'bad code'));
    await stage(publicationId, 1, row(4, 'B'));
    await eventually(
      () => view(publicationId),
      ({ published }) => published === 1,
    );
    for (let time = 0; time < 2; time += 1)
      expect(await harness.ask(CancelPublication, { publicationId })).toMatchObject({
        status: 'cancelled',
        problem: null,
        received: 3,
        published: 1,
        rejected: 1,
        remaining: 1,
      });
    await expect(stage(publicationId, 2, row(5, 'C'))).rejects.toMatchObject({ code: 'publication_closed' });
    await harness.ask(ClosePublication, { publicationId });
    for (const request of [PausePublication, ResumePublication])
      await expect(harness.ask(request, { publicationId })).rejects.toMatchObject({
        code: 'wrong_publication_state',
      });
    expect(await view(publicationId)).toMatchObject({ status: 'cancelled', received: 3 });
    expect(await product('A')).toMatchObject({ available: 5 });
    await expect(product('B')).rejects.toMatchObject({ code: 'product_not_found' });
    expect(await audited()).toMatchObject({ ...ADDS_UP, publicationsPaused: 0 });
  });

  it('that is cancelled while it is paused stays cancelled', async () => {
    await start();
    const publicationId = await open();
    await harness.ask(PausePublication, { publicationId });
    await stage(publicationId, 0, row(2, 'A'));
    await harness.ask(CancelPublication, { publicationId });
    expect(await audited()).toMatchObject({ ...ADDS_UP, publicationsPaused: 0 });
    expect(await view(publicationId)).toMatchObject({ status: 'cancelled', published: 0, remaining: 1 });
  });

  it('lists every rejected row with its line, code and reason, a page at a time', async () => {
    await start();
    const { publicationId, ...counts } = await publish(row(2, 'A'), row(3, 'bad code'), row(4, 'A'), {
      line: 5,
      values: {},
      problem: 'the line is cut',
    });
    expect(counts).toMatchObject({ received: 4, published: 1, rejected: 3, remaining: 0 });
    const page = (afterLine: number) => harness.ask(ListRejectedRows, { publicationId, afterLine, limit: 2 });
    expect(await page(0)).toEqual({
      rows: [
        { line: 3, code: 'bad code', reason: expect.stringContaining('code is not') },
        { line: 4, code: 'A', reason: 'line 2 has the same code' },
      ],
    });
    expect(await page(4)).toEqual({ rows: [{ line: 5, code: null, reason: 'the line is cut' }] });
    expect(await page(5)).toEqual({ rows: [] });
    const unknown = { publicationId: randomUUID(), afterLine: 0, limit: 2 };
    await expect(harness.ask(ListRejectedRows, unknown)).rejects.toMatchObject({
      code: 'publication_not_found',
    });
  });
});
