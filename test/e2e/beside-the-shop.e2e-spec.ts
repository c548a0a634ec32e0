import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { eventually } from '#testkit';
import { auditReport, Buyer, type ShopClient, type RunningShop, startShop } from '#shop-kit';

interface Listed {
  readonly services: { service: string; subscriptions: string[]; hasFacts: boolean | null }[];
}
interface Subscriptions {
  readonly subscriptions: { name: string; handled: number; lag: number }[];
  readonly unanswered: string[];
}

describe('a service that is started beside the shop', () => {
  let running: RunningShop;
  let shop: ShopClient;
  let operator: string;

  beforeAll(async () => {
    running = await startShop();
    shop = running.client;
    operator = await shop.asOperator();
  });

  afterAll(async () => {
    await running.stop();
  });

  it('is seen by operators and by the audit, and is missed by its name when it is gone', async () => {
    const buyer = await Buyer.signIn(shop, 'ann');
    const orderId = await buyer.order([{ sku: 'demo.CLOCK', quantity: 1 }]);
    await buyer.untilOrder(orderId, 'awaiting_payment');

    const newcomer = await start();
    await eventually(
      () => shop.get('/api/admin/services', operator) as Promise<Listed>,
      ({ services }) => services.some(({ service, hasFacts }) => service === 'newcomer' && hasFacts === true),
    );
    // It reads the topic from its start: the order was placed before it was there.
    await eventually(
      () => shop.get('/api/admin/messaging/subscriptions', operator) as Promise<Subscriptions>,
      ({ subscriptions }) =>
        subscriptions.some(({ name, handled }) => name === 'newcomer.see-orders' && handled >= 1),
    );
    const settled = await shop.operator.untilSettled();
    expect(auditReport(settled)).toContain('audit: clean');
    expect(settled.invariants.map(each => each.invariant)).toContain(
      'the newcomer has seen every placed order once',
    );
    const paused = await shop.call('POST', '/api/admin/messaging/subscriptions/newcomer.see-orders/pause', {
      token: operator,
      body: { reason: 'a test' },
    });
    expect(paused.status).toBe(200);

    newcomer.kill('SIGKILL');
    await once(newcomer, 'exit');
    const without = await shop.operator.audit();
    expect(without).toMatchObject({ clean: false, settled: false, unanswered: ['newcomer'] });
    // It hides nobody else.
    expect(without.invariants.filter(each => !each.holds)).toEqual([]);
    expect(without.invariants.length).toBeGreaterThan(30);
  }, 180_000);

  async function start() {
    const url = await running.databaseUrl('postgres');
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query('CREATE DATABASE sluice_newcomer');
    await client.end();
    return spawn('node', ['test/e2e/newcomer.js'], {
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        ...(await running.environmentOf('points-1')),
        SLUICE_INSTANCE: 'newcomer-1',
        RPC_PORT: '0',
        DATABASE_URL: await running.databaseUrl('sluice_newcomer'),
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
});
