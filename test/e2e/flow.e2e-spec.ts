import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '#testkit';
import { auditReport, type RunningShop, type ShopClient, startShop } from '#shop-kit';

interface Bucket {
  readonly name: string;
  readonly level: number;
  readonly admitted: number;
  readonly refused: number;
  readonly held: number;
}

/** A token in three hours: none comes while a test runs. */
const SLOW = 0.0001;

describe('limits on the flow of calls', () => {
  let running: RunningShop;
  let shop: ShopClient;
  let operator: string;

  beforeAll(async () => {
    running = await startShop({ scale: { gateway: 2, seckill: 2 } });
    shop = running.client;
    operator = await shop.asOperator();
  });

  afterAll(async () => {
    await running.stop();
  });

  const flow = (method: 'PUT' | 'DELETE', name: string, body?: object) =>
    shop.call(method, `/api/admin/flow/${name}`, { body, token: operator });
  const bucket = async (name: string) => {
    const { buckets } = (await shop.get('/api/admin/flow', operator)) as { buckets: Bucket[] };
    return buckets.find(each => each.name === name);
  };
  const open = async (limit: object) => {
    const campaign = {
      sku: 'demo.TEAPOT',
      stock: 100,
      perUserLimit: 1,
      priceMinor: 100,
      startsAt: '2020-01-01T00:00:00Z',
      endsAt: '2099-01-01T00:00:00Z',
      ...limit,
    };
    const { campaignId } = (await shop.post('/api/campaigns', campaign, operator)) as { campaignId: string };
    return campaignId;
  };
  const shoppers = (count: number) =>
    Promise.all(Array.from({ length: count }, () => shop.signIn(randomUUID())));
  /** Each of so many connections is one gateway's or the other's. */
  const gatewaysThatKnow = async () => {
    const metrics = await Promise.all(Array.from({ length: 30 }, () => shop.get('/metrics', operator)));
    const known = metrics.flatMap(text =>
      [...(/^sluice_flow_buckets\{.*instance="([^"]+)".*\} 1$/gm.exec(text as string) ?? [])].slice(1),
    );
    return new Set(known);
  };
  const click = (campaignId: string, tokens: readonly string[]) =>
    Promise.all(
      tokens.map(token => shop.call('POST', `/api/campaigns/${campaignId}/orders`, { body: {}, token })),
    );
  const counted = (answers: readonly { readonly status: number }[], status: number) =>
    answers.filter(answer => answer.status === status).length;

  it('hold for a campaign over all gateways, tell when to come back, and are changed and removed while it runs', async () => {
    const campaignId = await open({ ratePerSecond: SLOW, capacity: 5 });
    const name = `campaign:${campaignId}`;
    await eventually(gatewaysThatKnow, instances => instances.size === 2);
    const first = await click(campaignId, await shoppers(40));
    const admitted = counted(first, 201);
    expect(admitted + counted(first, 429)).toBe(40);
    const refused = first.find(({ status }) => status === 429)!;
    expect(refused.body).toMatchObject({ code: 'too_many_requests', bucket: name });
    expect(refused.retryAfterMs).toBeGreaterThan(1_000);
    const reported = await eventually(
      () => bucket(name),
      seen => seen!.admitted + seen!.refused === 40 && seen!.held === 0,
    );
    expect(reported).toMatchObject({ ratePerSecond: SLOW, capacity: 5, level: 0, admitted: 5, refused: 35 });
    expect(admitted).toBe(5);

    expect(await flow('PUT', name, { ratePerSecond: 1_000, capacity: 1_000 })).toMatchObject({
      status: 200,
      body: { name, ratePerSecond: 1_000, capacity: 1_000 },
    });
    const [again] = await shoppers(1);
    await eventually(
      () => click(campaignId, [again!]),
      ([answer]) => answer!.status === 201,
    );

    await flow('PUT', name, { ratePerSecond: SLOW, capacity: 1 });
    await eventually(
      async () => click(campaignId, await shoppers(5)),
      answers => counted(answers, 429) === 5,
    );
    expect(await flow('DELETE', name)).toMatchObject({ status: 204 });
    expect(await bucket(name)).toBeUndefined();
    await eventually(
      async () => click(campaignId, await shoppers(8)),
      answers => counted(answers, 201) === 8,
    );
    expect(await flow('DELETE', name)).toMatchObject({ status: 404, body: { code: 'bucket_not_found' } });
  });

  it('hold for a route that has one', async () => {
    const [token] = await shoppers(1);
    const order = () =>
      shop.call('POST', '/api/orders', { body: { items: [{ sku: 'demo.MUG', quantity: 1 }] }, token });
    expect(await order()).toMatchObject({ status: 202 });
    expect(await flow('PUT', 'route:orders', { ratePerSecond: SLOW, capacity: 3 })).toMatchObject({
      status: 200,
    });
    await eventually(order, ({ status }) => status === 429);
    await flow('DELETE', 'route:orders');
    await eventually(order, ({ status }) => status === 202);
  });

  it('hold while instances that keep the buckets stand still or die', async () => {
    const campaignId = await open({ ratePerSecond: SLOW, capacity: 30 });
    await eventually(gatewaysThatKnow, instances => instances.size === 2);
    await running.faults.freeze('seckill-1');
    const answers = await click(campaignId, await shoppers(20));
    await running.faults.resume('seckill-1');
    await running.faults.kill('seckill-2');
    // Some tokens are gone with the clicks that nobody decided, and none is given twice.
    await eventually(
      async () => {
        const more = await click(campaignId, await shoppers(10));
        answers.push(...more);
        return more;
      },
      more => counted(more, 429) === 10,
    );
    expect(counted(answers, 201)).toBeGreaterThan(0);
    const seen = await eventually(
      () => bucket(`campaign:${campaignId}`),
      each => each!.level === 0 && each!.held === 0,
    );
    expect(seen!.admitted).toBeLessThanOrEqual(30);
    expect(counted(answers, 201)).toBeLessThanOrEqual(30);
    await running.faults.untilUp('seckill-2');
    await flow('DELETE', `campaign:${campaignId}`);
  });

  it('are refused where they make no sense', async () => {
    const limit = { ratePerSecond: 1, capacity: 1 };
    expect(await flow('PUT', 'route:nothing', limit)).toMatchObject({
      status: 404,
      body: { code: 'bucket_not_found' },
    });
    expect(await flow('PUT', `campaign:${randomUUID()}`, limit)).toMatchObject({
      status: 404,
      body: { code: 'campaign_not_found' },
    });
    for (const body of [
      {},
      { ratePerSecond: 1 },
      { ratePerSecond: 0, capacity: 1 },
      { ratePerSecond: 1, capacity: 0.5 },
      { ratePerSecond: 1, capacity: 1, adaptive: { min: 1, max: 2 } },
      { capacity: 1, adaptive: { min: 2, max: 1 } },
    ])
      expect(await flow('PUT', 'route:orders', body)).toMatchObject({
        status: 400,
        body: { code: 'invalid_input' },
      });
    const shopper = await shop.signIn('ann');
    expect(
      await shop.call('PUT', '/api/admin/flow/route:orders', { body: limit, token: shopper }),
    ).toMatchObject({
      status: 403,
    });
    await expect(open({ capacity: 5 })).rejects.toThrow('invalid_campaign');
  });

  it('are described, with what they answer', async () => {
    const { paths } = (await shop.get('/openapi.json')) as {
      paths: Record<string, Record<string, { responses: Record<string, { description: string }> }>>;
    };
    for (const path of [
      '/api/campaigns/{id}/orders',
      '/api/orders',
      '/api/orders/{id}/payments',
      '/api/sessions',
    ])
      expect(paths[path]!['post']!.responses['429']!.description).toContain('too_many_requests');
    const { put, delete: remove } = paths['/api/admin/flow/{name}']!;
    expect(Object.keys(put!.responses)).toEqual(
      expect.arrayContaining(['200', '400', '401', '403', '404', '503']),
    );
    expect(Object.keys(remove!.responses)).toEqual(expect.arrayContaining(['204', '404']));
  });

  it('leave the books in order', async () => {
    expect(
      await flow('PUT', 'route:orders', { adaptive: { min: 50, max: 500 }, capacity: 100 }),
    ).toMatchObject({
      status: 200,
      body: { ratePerSecond: 50, adaptive: { min: 50, max: 500 } },
    });
    expect(auditReport(await shop.operator.untilSettled())).toContain('audit: clean');
  });
});
