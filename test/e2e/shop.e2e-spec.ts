import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { z } from 'zod';
import { eventually } from '#testkit';
import { auditReport, Buyer, type ShopClient, type RunningShop, startShop } from '#shop-kit';
import { KNOWN_CODES } from '../../apps/gateway/src/problems/statuses.js';

const ITEM = { sku: 'demo.TEAPOT', quantity: 2 };

const Operation = z.object({
  security: z.array(z.object({ bearer: z.array(z.string()).optional() })).default([]),
  responses: z.record(
    z.string(),
    z.object({ description: z.string().default(''), content: z.record(z.string(), z.unknown()).default({}) }),
  ),
});

describe('the shop over HTTP', () => {
  let running: RunningShop;
  let shop: ShopClient;

  beforeAll(async () => {
    running = await startShop({ scale: { seckill: 2, points: 2 } });
    shop = running.client;
  });

  afterAll(async () => {
    await running.stop();
  });

  it('has a first page, an API page, documents of its API and events, health and metrics', async () => {
    for (const [path, type] of [
      ['/', 'text/html'],
      ['/docs', 'text/html'],
      ['/openapi.json', 'application/json'],
      ['/asyncapi.json', 'application/json'],
      ['/health/ready', 'application/json'],
      ['/metrics', 'text/plain'],
    ] as const) {
      const response = await fetch(`${running.url}${path}`);
      expect([path, response.status, response.headers.get('content-type')]).toEqual([
        path,
        200,
        expect.stringContaining(type),
      ]);
    }
    const { paths } = (await shop.get('/openapi.json')) as { paths: object };
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/api/campaigns/{id}/orders', '/api/orders/{id}/payments']),
    );
  });

  it('documents who may call each route, and every error that it answers', async () => {
    const { paths, components } = z
      .object({
        paths: z.record(z.string(), z.record(z.string(), Operation)),
        components: z.object({ schemas: z.object({ Problem: z.object({ type: z.literal('object') }) }) }),
      })
      .parse(await shop.get('/openapi.json'));
    expect(components.schemas.Problem).toBeDefined();
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, ...operation })),
    );
    for (const { name, security, responses } of operations) {
      const roles = security.flatMap(({ bearer = [] }) => bearer);
      expect([name, '401' in responses, '403' in responses]).toEqual([
        name,
        roles.length > 0 || name === 'post /api/sessions' || name === 'post /api/payments/callback',
        roles.includes('operator') ||
          name === 'post /api/sessions' ||
          name === 'post /api/campaigns/{id}/orders',
      ]);
      for (const [status, { content }] of Object.entries(responses))
        if (Number(status) >= 400) expect(Object.keys(content)).toEqual(['application/problem+json']);
    }
    const told = operations.flatMap(({ responses }) =>
      Object.values(responses).flatMap(({ description }) => description.split(', ')),
    );
    // What the services refuse among themselves reaches nobody as such.
    expect(KNOWN_CODES.filter(code => code !== 'invalid_request' && !told.includes(code))).toEqual([]);
  });

  it('takes an ordinary order from stock to points and recommendations', async () => {
    const buyer = await Buyer.signIn(shop, 'ann');
    const orderId = await buyer.order([ITEM, { sku: 'demo.MUGS', quantity: 1 }]);
    expect(await buyer.untilOrder(orderId, 'awaiting_payment')).toMatchObject({
      totalMinor: 2 * 1850 + 2200,
    });
    await buyer.pay(orderId);
    expect(await buyer.untilOrder(orderId, 'paid')).toMatchObject({ status: 'paid' });
    expect(auditReport(await shop.operator.untilSettled())).toContain('audit: clean');
    expect(await shop.get('/api/me/points', buyer.token)).toMatchObject({ balance: 59 });
    const friend = await Buyer.signIn(shop, 'ben');
    await shop.get('/api/products/demo.TEAPOT', friend.token);
    for (let items: unknown[] = []; items.length === 0;) {
      ({ items } = (await shop.get('/api/me/recommendations', friend.token)) as { items: unknown[] });
      if (items.length > 0) expect(items[0]).toMatchObject({ sku: 'demo.MUGS', because: 'demo.TEAPOT' });
    }
  });

  it('cancels an order that cannot be had, says why, and keeps no stock', async () => {
    const buyer = await Buyer.signIn(shop, 'cid');
    const tooMany = await buyer.order([
      { sku: 'demo.CLOCK', quantity: 1 },
      { sku: 'demo.BOARD', quantity: 999_999 },
    ]);
    expect(await buyer.untilOrder(tooMany, 'awaiting_payment')).toMatchObject({
      status: 'cancelled',
      reason: 'out_of_stock',
    });
    const unknown = await buyer.order([{ sku: 'demo.NOTHING', quantity: 1 }]);
    expect(await buyer.untilOrder(unknown, 'awaiting_payment')).toMatchObject({
      status: 'cancelled',
      reason: 'unknown_sku',
    });
    expect(await shop.get('/api/products/demo.CLOCK')).toMatchObject({ available: 1_000 });
  });

  it('shows nobody an order that is somebody else’s', async () => {
    const dora = await Buyer.signIn(shop, 'dora');
    const orderId = await dora.order([ITEM]);
    await dora.untilOrder(orderId, 'awaiting_payment');
    const eve = await shop.signIn('eve');
    for (const [method, path] of [
      ['GET', `/api/orders/${orderId}`],
      ['POST', `/api/orders/${orderId}/payments`],
      ['POST', `/api/orders/${orderId}/cancel`],
      ['POST', `/api/orders/${orderId}/refund`],
    ] as const) {
      expect(await shop.call(method, path, { token: eve })).toMatchObject({
        status: 404,
        body: { code: 'order_not_found' },
      });
    }
    expect(await shop.call('GET', '/api/orders', { token: eve })).toMatchObject({ body: { orders: [] } });
  });

  it('gives a flash-sale order that is not paid in time back, and sells it again', async () => {
    const campaign = {
      sku: 'demo.PHONE',
      stock: 1,
      perUserLimit: 1,
      priceMinor: 9_900,
      startsAt: new Date(Date.now() - 1_000).toISOString(),
      endsAt: new Date(Date.now() + 600_000).toISOString(),
      mode: 'async',
      paymentWindow: 1,
    };
    const opened = (await shop.post('/api/campaigns', campaign, await shop.asOperator())) as {
      campaignId: string;
    };
    const [slow, quick] = [await Buyer.signIn(shop, 'slow'), await Buyer.signIn(shop, 'quick')];
    const first = await slow.click(opened.campaignId);
    expect(first).toMatchObject({ status: 201, body: { status: 'reserved' } });
    expect(await quick.click(opened.campaignId)).toMatchObject({ status: 409, body: { code: 'sold_out' } });
    const { orderId } = first.body as { orderId: string };
    expect(await slow.untilOrder(orderId, 'paid')).toMatchObject({ status: 'cancelled', reason: 'unpaid' });
    for (let status = 409; status === 409;) ({ status } = await quick.click(opened.campaignId));
    expect(await shop.get(`/api/campaigns/${opened.campaignId}`)).toMatchObject({ available: 0 });
  });

  it('tells a campaign’s time, its unknown ones and a blocked buyer apart', async () => {
    const operator = await shop.asOperator();
    const at = (ms: number) => new Date(Date.now() + ms).toISOString();
    const open = async (startsAt: string, endsAt: string) => {
      const body = { sku: 'demo.PHONE', stock: 5, perUserLimit: 1, priceMinor: 1, startsAt, endsAt };
      return ((await shop.post('/api/campaigns', body, operator)) as { campaignId: string }).campaignId;
    };
    const buyer = await Buyer.signIn(shop, 'ida');
    expect(await buyer.click(await open(at(60_000), at(90_000)))).toMatchObject({
      status: 425,
      body: { code: 'not_started' },
    });
    expect(await buyer.click(await open(at(-90_000), at(-60_000)))).toMatchObject({
      status: 410,
      body: { code: 'ended' },
    });
    await shop.post('/api/admin/blocked-buyers', { buyerId: 'jon', reason: 'chargebacks' }, operator);
    const jon = await Buyer.signIn(shop, 'jon');
    expect(await jon.click(await open(at(-1_000), at(60_000)))).toMatchObject({
      status: 403,
      body: { code: 'risk_rejected' },
    });
    const backwards = {
      sku: 'demo.PHONE',
      stock: 5,
      perUserLimit: 1,
      priceMinor: 1,
      startsAt: at(2_000),
      endsAt: at(1_000),
    };
    expect(await shop.call('POST', '/api/campaigns', { body: backwards, token: operator })).toMatchObject({
      status: 422,
    });
    expect(
      await shop.call('POST', '/api/campaigns', {
        body: { ...backwards, sku: 'demo.NONE' },
        token: operator,
      }),
    ).toMatchObject({
      status: 404,
      body: { code: 'product_not_found' },
    });
  });

  it('answers every bad input with a problem that says what, where and what to do', async () => {
    const token = await shop.signIn('kim');
    const bad: [number, string, 'GET' | 'POST', string, { body?: unknown; token?: string }][] = [
      [401, 'invalid_token', 'GET', '/api/orders', {}],
      [403, 'operators_only', 'GET', '/api/admin/audit', { token }],
      [400, 'invalid_input', 'POST', '/api/sessions', { body: { userId: 'no spaces' } }],
      [401, 'wrong_password', 'POST', '/api/sessions', { body: { adminPassword: 'guess' } }],
      [400, 'invalid_input', 'POST', '/api/orders', { body: { items: [] }, token }],
      [400, 'invalid_input', 'GET', '/api/orders/not-an-id', { token }],
      [400, 'invalid_input', 'GET', '/api/products?limit=0', {}],
      [404, 'not_found', 'GET', '/api/nothing', { token: await shop.asOperator() }],
      [
        415,
        'unsupported_media_type',
        'POST',
        '/api/publications?store=x',
        { body: {}, token: await shop.asOperator() },
      ],
    ];
    for (const [status, code, method, path, options] of bad) {
      const answer = await shop.call(method, path, options);
      expect([path, answer]).toMatchObject([
        path,
        { status, body: { status, code, detail: expect.any(String) } },
      ]);
    }
  });

  it('publishes what is good of a CSV and names the lines that are not', async () => {
    const token = await shop.asOperator();
    const csv =
      'code,title,priceMinor,currency,stock\nA1,Apple,150,GBP,5\nB 2,Bad code,150,GBP,5\nC3,No price,,GBP,5\nD4,"Dates, dried",99,GBP,7\n';
    const publish = async () => {
      const headers = { 'content-type': 'text/csv' };
      const { status, body } = await shop.call('POST', '/api/publications?store=csv', {
        body: csv,
        token,
        headers,
      });
      expect(status).toBe(202);
      const { publicationId } = body as { publicationId: string };
      for (;;) {
        const view = (await shop.get(`/api/publications/${publicationId}`, token)) as { status: string };
        if (view.status === 'published') return view;
      }
    };
    expect(await publish()).toMatchObject({
      received: 4,
      published: 2,
      rejected: 2,
      rejectedRows: [
        { line: 3, reason: expect.stringContaining('code') },
        { line: 4, reason: expect.stringContaining('priceMinor') },
      ],
    });
    expect(await publish()).toMatchObject({ published: 0, unchanged: 2, rejected: 2 });
    expect(await shop.get('/api/products/csv.D4')).toMatchObject({
      title: 'Dates, dried',
      priceMinor: 99,
      available: 7,
    });
  });

  it.each(['text/csv', 'application/x-ndjson'])(
    'says of an upload that is cut off that it is broken: %s',
    async type => {
      const token = await shop.asOperator();
      const line = type === 'text/csv' ? 'A,x,1,GBP,1\n' : '{"code":"A"}\n';
      const header = type === 'text/csv' ? 'code,title,priceMinor,currency,stock\n' : '';
      const { port } = new URL(running.url);
      const before = new Set(await publications());
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(
        `POST /api/publications?store=cut HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\n` +
          `content-type: ${type}\r\ncontent-length: 1000000\r\n\r\n${header}${line.repeat(1_000)}`,
      );
      const opened = async () => (await publications()).find(id => !before.has(id));
      const publicationId = await eventually(opened, id => id !== undefined);
      socket.destroy();
      const broken = await eventually(
        async () =>
          (await shop.get(`/api/publications/${publicationId}`, token)) as {
            status: string;
            problem: string;
          },
        view => view.status === 'broken',
      );
      expect(broken.problem).toContain('cut off');
    },
  );

  it('refuses a file that is no list of products at once, and an encoding that it does not read', async () => {
    const token = await shop.asOperator();
    const before = await publications();
    const send = (body: string, headers: Record<string, string>) =>
      shop.call('POST', '/api/publications?store=bad', { body, token, headers });
    expect(await send('code;title\nA;x\n', { 'content-type': 'TEXT/CSV' })).toMatchObject({
      status: 422,
      body: { code: 'unreadable_file', detail: expect.stringContaining('no column title') },
    });
    const unread: Record<string, string>[] = [
      { 'content-type': 'text/csv', 'content-encoding': 'gzip' },
      { 'content-type': 'text/csv; charset=klingon' },
    ];
    for (const headers of unread) expect(await send('code\n', headers)).toMatchObject({ status: 415 });
    const deep = `{"code":${'['.repeat(6_500)}${']'.repeat(6_500)}}\n{"code":"OK1","title":"x","priceMinor":1,"currency":"GBP","stock":1}\n`;
    const { body } = await send(deep, { 'content-type': 'application/x-ndjson' });
    const { publicationId } = body as { publicationId: string };
    const view = await eventually(
      async () => (await shop.get(`/api/publications/${publicationId}`, token)) as { status: string },
      each => each.status === 'published',
    );
    expect(view).toMatchObject({ received: 2, published: 1, rejected: 1 });
    expect(await publications()).toHaveLength(before.length + 1);
  });

  async function publications(): Promise<string[]> {
    const client = new pg.Client({ connectionString: await running.databaseUrl('sluice_catalog') });
    await client.connect();
    const { rows } = await client.query<{ id: string }>('SELECT id FROM publication');
    await client.end();
    return rows.map(({ id }) => id);
  }

  it('ends with clean books', async () => {
    expect(auditReport(await shop.operator.untilSettled())).toContain('audit: clean');
  });
});
