import { createHmac, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { auditReport, Buyer, type ShopClient, type RunningShop, startShop } from '#shop-kit';

const ITEM = { sku: 'demo.TEAPOT', quantity: 2 };

describe('payments and refunds over HTTP', () => {
  let running: RunningShop;
  let shop: ShopClient;

  beforeAll(async () => {
    running = await startShop({ scale: { order: 2, points: 2 } });
    shop = running.client;
  });

  afterAll(async () => {
    await running.stop();
  });

  /** A callback as the provider signs it. */
  async function callback(body: object, { secret, timestamp }: { secret?: string; timestamp?: number } = {}) {
    const secrets = JSON.parse(await readFile(join(running.dataDir, 'secrets.json'), 'utf8')) as {
      payment: string;
    };
    const at = String(timestamp ?? Math.floor(Date.now() / 1_000));
    const text = JSON.stringify(body);
    const signature = createHmac('sha256', secret ?? secrets.payment)
      .update(`${at}.${text}`)
      .digest('hex');
    return shop.call('POST', '/api/payments/callback', {
      body,
      headers: { 'sluice-timestamp': at, 'sluice-signature': signature },
    });
  }

  async function payable(userId: string) {
    const buyer = await Buyer.signIn(shop, userId);
    const orderId = await buyer.order([ITEM]);
    const { totalMinor } = await buyer.untilOrder(orderId, 'awaiting_payment');
    const opened = (await shop.post(`/api/orders/${orderId}/payments`, undefined, buyer.token)) as {
      paymentId: string;
      checkoutUrl: string;
    };
    return { buyer, orderId, amountMinor: totalMinor!, ...opened };
  }

  /** The buyer pays at the provider, whatever the state of the order. */
  const payAt = (checkoutUrl: string) => shop.post(checkoutUrl, { outcome: 'paid' });

  it('refuses callbacks that are forged, old or over another amount, and settles none of them', async () => {
    const { buyer, orderId, paymentId, amountMinor } = await payable('fay');
    const paid = { paymentId, outcome: 'paid', amountMinor, currency: 'GBP' };
    expect(await callback(paid, { secret: 'not the secret' })).toMatchObject({
      status: 401,
      body: { code: 'invalid_signature' },
    });
    expect(await callback(paid, { timestamp: 1_000_000_000 })).toMatchObject({ status: 401 });
    expect(await callback({ ...paid, amountMinor: 1 })).toMatchObject({
      status: 422,
      body: { code: 'amount_mismatch' },
    });
    expect(await callback({ ...paid, paymentId: '019a0000-0000-7000-8000-000000000000' })).toMatchObject({
      status: 404,
    });
    expect(await buyer.untilOrder(orderId, 'awaiting_payment')).toMatchObject({ status: 'awaiting_payment' });
  });

  it('pays once however often and in whatever order the provider calls', async () => {
    const { buyer, orderId } = await payable('gus');
    await running.faults.outside('payment', { duplicates: 5 });
    await buyer.pay(orderId);
    await buyer.untilOrder(orderId, 'paid');
    await running.faults.repair('payment');
    expect(auditReport(await shop.operator.untilSettled())).toContain('audit: clean');
    const { entries } = (await shop.get('/api/me/points', buyer.token)) as { entries: unknown[] };
    expect(entries).toHaveLength(1);
  });

  it('lets pay and cancel race: one wins, and money that came too late goes back', async () => {
    const races = await Promise.all(Array.from({ length: 12 }, (_, n) => payable(`racer-${n}`)));
    const outcomes = await Promise.all(
      races.map(async ({ buyer, orderId, checkoutUrl }) => {
        await Promise.all([
          payAt(checkoutUrl),
          shop.call('POST', `/api/orders/${orderId}/cancel`, { token: buyer.token }),
        ]);
        return (await buyer.untilOrder(orderId, 'paid')).status;
      }),
    );
    expect(outcomes.every(status => status === 'paid' || status === 'cancelled')).toBe(true);
    const late = await payable('late');
    await shop.post(`/api/orders/${late.orderId}/cancel`, undefined, late.buyer.token);
    await payAt(late.checkoutUrl);
    const settled = await shop.operator.untilSettled();
    expect(auditReport(settled)).toContain('audit: clean');
    const gaveBack = settled.invariants.find(
      each => each.invariant === 'the provider gave back as often as the shop',
    );
    expect(gaveBack?.figures['outside']).toBe(outcomes.filter(status => status === 'cancelled').length + 1);
    const { timeline } = (await shop.get(`/api/orders/${late.orderId}`, late.buyer.token)) as {
      timeline: { what: string }[];
    };
    expect(timeline.at(-1)!.what).toBe('paid too late: the money goes back');
  });

  it('takes a paid order back once: money, stock and points', async () => {
    const { buyer, orderId } = await payable('hal');
    await buyer.pay(orderId);
    await buyer.untilOrder(orderId, 'paid');
    expect(await buyer.refund(orderId)).toMatchObject({ status: 200, body: { status: 'refunded' } });
    expect(await buyer.refund(orderId)).toMatchObject({
      status: 409,
      body: { code: 'wrong_order_state', status: 409 },
    });
    expect(auditReport(await shop.operator.untilSettled())).toContain('audit: clean');
    expect(await shop.get('/api/me/points', buyer.token)).toMatchObject({ balance: 0 });
  });

  it('takes a part of an order back, once by its name, and never more than was bought', async () => {
    const { buyer, orderId, amountMinor } = await payable('hel');
    await buyer.pay(orderId);
    await buyer.untilOrder(orderId, 'paid');
    const path = `/api/orders/${orderId}/refund`;
    const takeBack = (body: object) => shop.call('POST', path, { body, token: buyer.token });
    const one = { items: [{ ...ITEM, quantity: 1 }], refundId: randomUUID() };
    const part = { status: 'paid', refundedMinor: amountMinor / 2 };
    expect(await takeBack(one)).toMatchObject({ status: 200, body: part });
    expect(await takeBack(one)).toMatchObject({ status: 200, body: part });
    expect(await takeBack({ items: [ITEM] })).toMatchObject({
      status: 409,
      body: { code: 'more_than_bought' },
    });
    for (const wrong of [{ items: [] }, { item: [ITEM] }, { items: [{ sku: ITEM.sku }] }])
      expect(await takeBack(wrong)).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
    const rest = await takeBack({});
    expect(rest).toMatchObject({ status: 200, body: { status: 'refunded', refundedMinor: amountMinor } });
    expect((rest.body as { timeline: { what: string }[] }).timeline.map(step => step.what)).toEqual([
      'placed',
      'stock reserved',
      'paid',
      'taken back: 1 × demo.TEAPOT',
      'taken back: 1 × demo.TEAPOT',
      'refunded',
    ]);
    expect(auditReport(await shop.operator.untilSettled())).toContain('audit: clean');
    expect(await shop.get('/api/me/points', buyer.token)).toMatchObject({ balance: 0 });
  });

  it('takes what a flash sale sold back whole or not at all', async () => {
    const campaign = {
      sku: 'demo.PHONE',
      stock: 2,
      perUserLimit: 2,
      priceMinor: 9_900,
      startsAt: new Date(Date.now() - 1_000).toISOString(),
      endsAt: new Date(Date.now() + 600_000).toISOString(),
    };
    const opened = await shop.post('/api/campaigns', campaign, await shop.asOperator());
    const buyer = await Buyer.signIn(shop, 'kim');
    const click = await buyer.click((opened as { campaignId: string }).campaignId, 2);
    const { orderId } = click.body as { orderId: string };
    await buyer.untilOrder(orderId, 'awaiting_payment');
    await buyer.pay(orderId);
    await buyer.untilOrder(orderId, 'paid');
    expect(await buyer.refund(orderId, [{ sku: 'demo.PHONE', quantity: 1 }])).toMatchObject({
      status: 409,
      body: { code: 'whole_order_only' },
    });
    expect(await buyer.refund(orderId)).toMatchObject({ status: 200, body: { status: 'refunded' } });
    expect(auditReport(await shop.operator.untilSettled())).toContain('audit: clean');
  });
});
