import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'undici';
import { auditReport, type Buyer, type RunningShop, type ShopClient, startShop } from '#shop-kit';
import { eventually } from '#testkit';

const GATEWAYS = ['gateway-1', 'gateway-2'] as const;
type Gateway = (typeof GATEWAYS)[number];

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

describe('what every gateway knows', () => {
  let running: RunningShop;
  let shop: ShopClient;
  /** One connection to each gateway: a connection stays with the gateway that it has reached. */
  const connections = new Map<Gateway, Client>();

  beforeAll(async () => {
    running = await startShop({
      scale: { gateway: 2 },
      env: {
        HOT_WINDOW_MS: '3000',
        HOT_ENTER: '30',
        HOT_LEAVE: '5',
        HOT_MIN_STAY_MS: '500',
        // So long that only the news of a change can explain a new price.
        GATEWAY_HOT_AGE_MS: '3600000',
      },
    });
    shop = running.connect({ connections: 4 });
  });

  afterEach(() => disconnect());

  afterAll(() => running.stop());

  async function call(
    client: Client,
    method: 'GET' | 'POST',
    path: string,
    token?: string,
    body?: object,
  ): Promise<Answer> {
    const response = await client.request({
      method,
      path,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body: body && JSON.stringify(body),
    });
    const { statusCode: status, headers } = response;
    return { status, headers, body: await response.body.text() };
  }

  /** Opens connections until each gateway has one. */
  async function connect(): Promise<void> {
    await disconnect();
    while (connections.size < GATEWAYS.length) {
      const client = new Client(running.url);
      const metrics = await call(client, 'GET', '/metrics').catch(() => undefined);
      const reached = GATEWAYS.find(name => metrics?.body.includes(`instance="${name}"`));
      if (reached === undefined || connections.has(reached)) await client.destroy();
      else connections.set(reached, client);
    }
  }

  async function disconnect(): Promise<void> {
    for (const client of connections.values()) await client.destroy();
    connections.clear();
  }

  const at = (
    gateway: Gateway,
    ...rest: [method: 'GET' | 'POST', path: string, token?: string, body?: object]
  ) => call(connections.get(gateway)!, ...rest);

  describe('of hot products', () => {
    const SKU = 'demo.TEAPOT';
    const PATH = `/api/products/${SKU}`;

    async function publishPrice(priceMinor: number): Promise<void> {
      const { status } = await shop.call('POST', '/api/publications?store=demo', {
        token: await shop.asOperator(),
        headers: { 'content-type': 'text/csv' },
        body: `code,title,priceMinor,currency,stock\nTEAPOT,Hot teapot,${priceMinor},GBP,10\n`,
      });
      expect(status).toBe(202);
    }

    it('is served from memory, follows every change of price and stock, and ends when they cool down', async () => {
      await connect();
      const { token } = await shop.buyer('viewer');
      /** Looks at it until what is seen fits: each look is interest in it. */
      const look = (gateway: Gateway, fits: (answer: Answer) => boolean) =>
        eventually(() => at(gateway, 'GET', PATH, token), fits);
      const isHit = ({ headers }: Answer) => String(headers['cache-status']).startsWith('sluice; hit');
      const shows = (values: object) => (answer: Answer) => {
        const product = JSON.parse(answer.body) as Record<string, unknown>;
        return Object.entries(values).every(([name, value]) => product[name] === value);
      };
      const first = await at('gateway-1', 'GET', PATH, token);
      expect(first.headers['cache-status']).toBe('sluice; fwd=bypass');
      for (const gateway of GATEWAYS) {
        const { headers } = await look(gateway, isHit);
        expect(headers).toMatchObject({ age: expect.stringMatching(/^\d+$/) });
        const list = JSON.parse((await at(gateway, 'GET', '/api/hot-items')).body) as object;
        expect(list).toMatchObject({ windowSeconds: 3, items: [{ sku: SKU, error: 0 }] });
      }

      await publishPrice(4_321);
      for (const gateway of GATEWAYS) await look(gateway, shows({ priceMinor: 4_321 }));
      const before = JSON.parse((await look('gateway-1', isHit)).body) as { available: number };
      const change = { by: 7, reason: 'counted' };
      const changed = await at('gateway-2', 'POST', `${PATH}/stock`, await shop.asOperator(), change);
      expect(changed.status).toBe(200);
      for (const gateway of GATEWAYS) await look(gateway, shows({ available: before.available + 7 }));
      // An order changes the stock too.
      const buyer = await shop.buyer('buyer');
      await buyer.order([{ sku: SKU, quantity: 2 }]);
      for (const gateway of GATEWAYS) {
        await look(gateway, shows({ available: before.available + 5 }));
        await look(gateway, isHit);
      }

      for (const gateway of GATEWAYS) {
        await eventually(
          () => at(gateway, 'GET', '/api/hot-items'),
          ({ body }) => body.includes('"items":[]'),
        );
        const { headers } = await at(gateway, 'GET', PATH);
        expect(headers['cache-status']).toBe('sluice; fwd=bypass');
      }
      expect(auditReport(await running.audit())).toContain('audit: clean');
    }, 120_000);
  });

  describe.each(['async', 'queue'])('of campaigns that are sold out (mode %s)', mode => {
    let campaignId: string;

    async function openCampaign(): Promise<void> {
      const campaign = {
        sku: 'demo.PHONE',
        mode,
        stock: 1,
        perUserLimit: 1,
        priceMinor: 100,
        startsAt: new Date(Date.now() - 1_000).toISOString(),
        endsAt: new Date(Date.now() + 3_600_000).toISOString(),
      };
      const opened = await shop.post('/api/campaigns', campaign, await shop.asOperator());
      ({ campaignId } = opened as { campaignId: string });
    }

    const click = async (gateway: Gateway, buyer: Buyer) => {
      const path = `/api/campaigns/${campaignId}/orders`;
      const { status, body } = await at(gateway, 'POST', path, buyer.token, {});
      return { ...(JSON.parse(body) as { code?: string; orderId?: string }), status };
    };
    /** How many clicks this gateway has answered without asking. */
    const fromMemory = async (gateway: Gateway) => {
      const { body } = await at(gateway, 'GET', '/metrics');
      return Number(/^sluice_clicks_sold_out_total\{.*\} (\d+)$/m.exec(body)![1]);
    };
    const pidOf = async (instance: string) =>
      (await running.processes()).find(each => each.instance === instance)?.pid;
    const SOLD_OUT = { status: 409, code: 'sold_out' };

    it('refuses from memory, is learned by a gateway that starts later, and ends with a restock', async () => {
      await connect();
      await openCampaign();
      const [ann, ben, cleo] = await Promise.all(
        ['ann', 'ben', 'cleo'].map(name => shop.buyer(`${mode}-${name}`)),
      );
      const won = await click('gateway-1', ann!);
      expect(won).toMatchObject({ status: 201 });
      // The other gateway hears of it, or learns it from its first answer, and does not ask any more.
      await eventually(
        async () => [await click('gateway-2', ben!), await fromMemory('gateway-2')] as const,
        ([answer, answered]) => answer.code === 'sold_out' && answered > 0,
      );

      const before = (await pidOf('gateway-2'))!;
      process.kill(before, 'SIGKILL');
      await eventually(
        () => pidOf('gateway-2'),
        pid => pid !== undefined && pid !== before,
      );
      await connect();
      expect(await fromMemory('gateway-2')).toBe(0);
      expect(await click('gateway-2', ben!)).toMatchObject(SOLD_OUT);
      // It has asked once, and knows from now on.
      expect(await fromMemory('gateway-2')).toBe(0);
      expect(await click('gateway-2', ben!)).toMatchObject(SOLD_OUT);
      expect(await fromMemory('gateway-2')).toBe(1);

      await ann!.untilOrder(won.orderId!, 'awaiting_payment');
      await ann!.cancel(won.orderId!);
      // The door opens at the gateway that has heard of the sale, and at the one that has only learned of it.
      const again = await eventually(
        () => click('gateway-2', ben!),
        ({ status }) => status === 201,
      );
      await eventually(
        () => click('gateway-1', cleo!),
        ({ code }) => code === 'sold_out',
      );
      await ben!.untilOrder(again.orderId!, 'awaiting_payment');
      await ben!.cancel(again.orderId!);
      await eventually(
        () => click('gateway-1', cleo!),
        ({ status }) => status === 201,
      );
      expect(auditReport(await running.audit())).toContain('audit: clean');
    }, 120_000);
  });
});
