import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { z } from 'zod';
import { eventually } from '#testkit';
import { auditReport, type RunningShop, type ShopClient, signal, startShop } from '#shop-kit';

const HEADER = 'code,title,priceMinor,currency,stock\n';
/** Slow enough that something can happen in the middle. */
const PUBLICATION_RATE = '3000';

const View = z.object({
  publicationId: z.string(),
  status: z.string(),
  received: z.number(),
  published: z.number(),
  unchanged: z.number(),
  rejected: z.number(),
  remaining: z.number(),
});
type View = z.output<typeof View>;

describe('a store that is opened at one go', () => {
  let running: RunningShop;
  let shop: ShopClient;
  let token: string;

  beforeAll(async () => {
    running = await startShop({ env: { PUBLICATION_RATE } });
    shop = running.client;
    token = await shop.asOperator();
  });

  afterAll(async () => {
    await running.stop();
  });

  function* csv(count: number): Generator<string> {
    yield HEADER;
    for (let n = 0; n < count; n += 1) yield `SKU${n},Lamp ${n},${n % 100 === 99 ? 'free' : 100},GBP,5\n`;
  }
  const send = (store: string, body: unknown, type = 'text/csv') =>
    shop.call('POST', `/api/publications?store=${store}`, { body, token, headers: { 'content-type': type } });
  const publish = async (store: string, body: unknown) => {
    const answer = await send(store, body);
    expect(answer).toMatchObject({ status: 202 });
    return (answer.body as { publicationId: string }).publicationId;
  };
  // A catalog that was just killed does not answer for a moment.
  const view = async (id: string) =>
    View.parse((await shop.callPatiently('GET', `/api/publications/${id}`, { token })).body);
  const control = (id: string, what: string) =>
    shop.call('POST', `/api/publications/${id}/${what}`, { token });
  const until = (id: string, fits: (each: View) => boolean) => eventually(() => view(id), fits);
  const addsUp = ({ received, published, unchanged, rejected, remaining }: View) =>
    expect(published + unchanged + rejected + remaining).toBe(received);
  const killCatalog = async () => {
    const before = (await running.processes()).find(({ app }) => app === 'catalog')!;
    signal(before.pid, 'SIGKILL');
    await eventually(
      () => running.processes(),
      all => all.some(({ app, pid }) => app === 'catalog' && pid !== before.pid),
    );
  };
  const query = async <Row extends object>(sql: string, values: unknown[]): Promise<Row[]> => {
    const client = new pg.Client({ connectionString: await running.databaseUrl('sluice_catalog') });
    await client.connect();
    try {
      return (await client.query<Row>(sql, values)).rows;
    } finally {
      await client.end();
    }
  };

  it('has every row exactly once, although the catalog is killed in the middle, twice', async () => {
    const id = await publish('killed', Readable.from(csv(9_000)));
    for (const least of [1_000, 4_000]) {
      await until(id, ({ published }) => published >= least);
      await killCatalog();
    }
    const done = await until(id, ({ status }) => status === 'published');
    expect(done).toMatchObject({
      received: 9_000,
      published: 8_910,
      unchanged: 0,
      rejected: 90,
      remaining: 0,
    });
    const [stored] = await query(
      `SELECT count(*)::int AS products, sum(s.available)::int AS units,
              (SELECT count(*)::int FROM publication_rejection WHERE publication_id = $1) AS rejections
       FROM product p JOIN stock s USING (sku) WHERE p.store = 'killed'`,
      [id],
    );
    expect(stored).toEqual({ products: 8_910, units: 5 * 8_910, rejections: 90 });
    expect(auditReport(await running.audit())).toContain('audit: clean');
  });

  it('stays paused across a crash of the catalog, and goes on when it is resumed', async () => {
    const id = await publish('paused', Readable.from(csv(6_000)));
    expect(await control(id, 'pause')).toMatchObject({ status: 200, body: { status: 'paused' } });
    await killCatalog();
    // What was in hand is finished, and no more.
    const paused = await until(id, each => each.remaining % 500 === 0);
    addsUp(paused);
    expect(paused).toMatchObject({ status: 'paused' });
    const told = await eventually(
      () => shop.operator.audit(),
      ({ unanswered }) => unanswered.length === 0,
    );
    expect(told).toMatchObject({ settled: false });
    expect(auditReport(told)).toMatch(/✗ +publications that are paused/);
    expect(await control(id, 'resume')).toMatchObject({ status: 200 });
    const done = await until(id, ({ status }) => status === 'published');
    expect(done).toMatchObject({ published: 5_940, rejected: 60 });
    expect(await control(id, 'pause')).toMatchObject({
      status: 409,
      body: { code: 'wrong_publication_state', detail: expect.stringContaining('is published') },
    });
  });

  it('can be given up: what is published stays, and says how much it is', async () => {
    const id = await publish('given-up', Readable.from(csv(6_000)));
    await until(id, ({ published }) => published > 0);
    expect(await control(id, 'cancel')).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    // Parts that were in hand are finished.
    await running.audit();
    const given = await view(id);
    addsUp(given);
    expect(given.remaining).toBeGreaterThan(0);
    const [stored] = await query(
      "SELECT count(*)::int AS products FROM product WHERE store = 'given-up'",
      [],
    );
    expect(stored).toEqual({ products: given.published });
    for (const what of ['pause', 'resume'])
      expect(await control(id, what)).toMatchObject({
        status: 409,
        body: { code: 'wrong_publication_state' },
      });
    expect(await control(id, 'cancel')).toMatchObject({ status: 200 });
    expect(auditReport(await running.audit())).toContain('audit: clean');
  });

  it('ends an upload that is given up in its middle, with a problem', async () => {
    const { port } = new URL(running.url);
    const socket = connect(Number(port), '127.0.0.1');
    let answer = '';
    socket.on('error', () => undefined).on('data', part => (answer += String(part)));
    const before = new Set(
      (await query<{ id: string }>('SELECT id FROM publication', [])).map(({ id }) => id),
    );
    socket.write(
      `POST /api/publications?store=cut HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\n` +
        `content-type: text/csv\r\ncontent-length: 1000000\r\n\r\n${[...csv(600)].join('')}`,
    );
    const opened = await eventually(
      async () =>
        (await query<{ id: string }>('SELECT id FROM publication', [])).find(({ id }) => !before.has(id)),
      row => row !== undefined,
    );
    await control(opened!.id, 'cancel');
    const closed = once(socket, 'close');
    const more = Readable.from(csv(1_200)).on('data', part => socket.write(part as string));
    await eventually(
      () => Promise.resolve(answer),
      text => text.includes('publication_closed'),
    );
    more.destroy();
    socket.destroy();
    await closed;
    expect(answer).toMatch(/^HTTP\/1.1 409 /);
    expect(await view(opened!.id)).toMatchObject({ status: 'cancelled' });
  });

  it('lists its rejected rows as a file, CSV or NDJSON', async () => {
    const rows = Array.from({ length: 1_200 }, (_, n) => `=A${n},x,1,GBP,1\n`).join('');
    const id = await publish('rejected', `${HEADER}OK,x,1,GBP,1\n${rows}"cut,x,1,GBP,1\n`);
    await until(id, ({ status }) => status === 'published');
    const get = (accept: string) =>
      fetch(`${running.url}/api/publications/${id}/rejected`, {
        headers: { authorization: `Bearer ${token}`, accept },
      });
    const csvFile = await get('*/*');
    expect(csvFile.headers.get('content-type')).toContain('text/csv');
    expect(csvFile.headers.get('content-disposition')).toBe(`attachment; filename="rejected-${id}.csv"`);
    const lines = (await csvFile.text()).trimEnd().split('\n');
    expect(lines).toHaveLength(1_202);
    expect(lines[0]).toBe('line,code,reason');
    // A spreadsheet must not take the code for a formula.
    expect(lines[1]).toBe(`3,"'=A0","code is not 1 to 64 of A–Z a–z 0–9 _ -"`);
    expect(lines.at(-1)).toMatch(/^1203,"","a quote is missing/);
    const ndjson = await get('application/x-ndjson');
    expect(ndjson.headers.get('content-type')).toContain('application/x-ndjson');
    const objects = (await ndjson.text()).trimEnd().split('\n');
    expect(objects).toHaveLength(1_201);
    expect(JSON.parse(objects[0]!)).toMatchObject({ line: 3, code: '=A0' });
    const unknown = await shop.call(
      'GET',
      `/api/publications/00000000-0000-4000-8000-000000000000/rejected`,
      { token },
    );
    expect(unknown).toMatchObject({ status: 404, body: { code: 'publication_not_found' } });
  });

  it('is refused when it is empty, or of a type that nobody reads', async () => {
    for (const [body, type, status, code] of [
      ['', 'text/csv', 415, 'unsupported_media_type'],
      [HEADER, 'text/csv', 422, 'unreadable_file'],
      ['{}', 'application/json', 415, 'unsupported_media_type'],
      ['<products/>', 'application/xml', 415, 'unsupported_media_type'],
    ] as const)
      expect([type, await send('bad', body, type)]).toMatchObject([type, { status, body: { code } }]);
  });

  it('shows buyers pictures, a page and a promotion', async () => {
    const id = await publish(
      'shown',
      'code,title,priceMinor,currency,stock,pictures,description,promoPriceMinor\n' +
        'A1,"Lamp, brass",250,GBP,5,https://a.example/1.jpg,Made of brass,199\nB2,Bowl,100,GBP,5,,,\n',
    );
    await until(id, ({ status }) => status === 'published');
    expect(await shop.get('/api/products/shown.A1')).toMatchObject({
      priceMinor: 199,
      regularPriceMinor: 250,
      pictures: ['https://a.example/1.jpg'],
      slug: 'lamp-brass-a1',
      description: 'Made of brass',
    });
    const { pictures } = (await shop.get('/api/products/shown.B2')) as { pictures: string[] };
    expect((await fetch(`${running.url}${pictures[0]!}`)).headers.get('content-type')).toContain(
      'image/svg+xml',
    );
  });

  it('ends the import of its file when it is paused, and says how it goes on', async () => {
    const file = join(running.dataDir, 'list.csv');
    await writeFile(file, [...csv(9_000)].join(''));
    const importing = promisify(execFile)(
      'node',
      [resolve('dist/tools/import/main.js'), file, '--store', 'imported'],
      {
        env: {
          ...process.env,
          NODE_OPTIONS: '',
          SLUICE_DATA_DIR: running.dataDir,
          SLUICE_URL: running.url,
          SLUICE_OPERATOR_PASSWORD: running.operatorPassword,
        },
      },
    ).then(
      () => ({ code: 0, stdout: '' }),
      (error: { code: number; stdout: string }) => error,
    );
    const [opened] = await eventually(
      () =>
        query<{ id: string }>(
          "SELECT id FROM publication WHERE store = 'imported' AND status = 'received'",
          [],
        ),
      rows => rows.length === 1,
    );
    expect(await control(opened!.id, 'pause')).toMatchObject({ status: 200 });
    const { code, stdout } = await importing;
    expect(code).toBe(1);
    expect(stdout).toContain(`POST /api/publications/${opened!.id}/resume`);
    await control(opened!.id, 'resume');
    await until(opened!.id, ({ status }) => status === 'published');
  });
});
