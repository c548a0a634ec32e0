import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '#testkit';
import { type Answer, auditReport, Buyer, type ShopClient, type RunningShop, startShop } from '#shop-kit';
import { SERVICES } from '../../apps/stack/src/services.js';

/** Every process. There are two gateways, so that one is up while the other restarts. */
const RESTARTED = SERVICES.flatMap(({ name }) =>
  name === 'gateway' ? ['gateway-1', 'gateway-2'] : [`${name}-1`],
);
const SHOPPERS = 12;

describe('a restart of every app, one after the other, during a sale', () => {
  let running: RunningShop;
  let shop: ShopClient;

  beforeAll(async () => {
    running = await startShop({ scale: { gateway: 2 } });
    shop = running.connect({ connections: SHOPPERS * 2 });
  });

  afterAll(async () => {
    await running.stop();
  });

  /** Ends it as an operator would, and waits for its replacement. */
  async function restart(instance: string): Promise<void> {
    await running.faults.restart(instance);
    // The other gateway is restarted only when this one takes calls again.
    if (instance.startsWith('gateway-')) await eventually(answering, found => found === instance);
  }

  /** The gateway that a new connection reaches. */
  async function answering(): Promise<string | undefined> {
    const once = running.connect({ connections: 1 });
    const { body } = await once.call('GET', '/metrics').finally(() => once.close());
    return /instance="(gateway-\d)"/.exec(String(body))?.[1];
  }

  it('drops no call: each has its answer, or is told when to come again', async () => {
    const campaignId = await shop.operator.openCampaign({ stock: 100_000, perUserLimit: 100_000 });
    const answers: Record<string, number> = {};
    const odd: unknown[] = [];
    const note = (what: string, { status, body, retryAfterMs }: Answer) => {
      const kind = `${what} ${status}`;
      answers[kind] = (answers[kind] ?? 0) + 1;
      const honest = status < 500 || ((status === 503 || status === 504) && retryAfterMs !== undefined);
      if (!honest) odd.push({ what, status, body });
    };
    let over = false;
    const shopper = async (n: number) => {
      const { token } = await Buyer.signIn(shop, `roller-${n}`);
      const call = async (what: string, method: 'GET' | 'POST', path: string, body?: object) =>
        note(what, await shop.call(method, path, { body, token }));
      while (!over) {
        await call('click', 'POST', `/api/campaigns/${campaignId}/orders`, { quantity: 1 });
        await call('order', 'POST', '/api/orders', { items: [{ sku: 'demo.MUGS', quantity: 1 }] });
        await call('orders', 'GET', '/api/orders');
        await call('products', 'GET', '/api/products?limit=5');
      }
    };
    const shoppers = Promise.all(Array.from({ length: SHOPPERS }, (_, n) => shopper(n)));
    try {
      for (const instance of RESTARTED) await restart(instance);
    } finally {
      over = true;
      await shoppers;
    }
    expect(odd).toEqual([]);
    expect(answers['click 201']).toBeGreaterThan(0);
    expect(auditReport(await shop.operator.untilSettled())).toContain('audit: clean');
  }, 240_000);
});
