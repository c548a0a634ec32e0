import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '#testkit';
import { audit, auditReport, settledAudit } from '../../tools/client/audit.js';
import { Buyer } from '../../tools/client/buyer.js';
import type { Shop } from '../../tools/client/shop.js';
import { RunningShop } from './running-shop.js';

interface Letter {
  readonly id: string;
  readonly subscription: string;
  readonly reason: string;
  readonly payload: string;
  readonly errors: readonly { readonly error: string }[];
}

describe('an operator of the queue', () => {
  let dataDir: string;
  let running: RunningShop;
  let shop: Shop;
  let operator: string;

  beforeAll(async () => {
    dataDir = await RunningShop.dataDir();
    running = await RunningShop.start(dataDir);
    shop = running.client();
    operator = await shop.asOperator();
  });

  afterAll(async () => {
    await shop.close();
    await running.stop();
    await RunningShop.remove(dataDir);
  });

  const list = async (status = 'dead') =>
    (
      (await shop.get(`/api/admin/messaging/dead-letters?status=${status}`, operator)) as {
        deadLetters: Letter[];
      }
    ).deadLetters;
  const decide = (id: string, what: string, body?: object) =>
    shop.call('POST', `/api/admin/messaging/dead-letters/${id}/${what}`, { body, token: operator });

  it('pauses a subscription and lets it go on: what came meanwhile waits, and nothing else does', async () => {
    const control = (name: string, what: string, body?: object) =>
      shop.call('POST', `/api/admin/messaging/subscriptions/${name}/${what}`, { body, token: operator });
    const stateOf = async (wanted: string) => {
      const { subscriptions } = (await shop.get('/api/admin/messaging/subscriptions', operator)) as {
        subscriptions: { name: string; lag: number; paused: object | null }[];
      };
      return subscriptions.find(({ name }) => name === wanted)!;
    };
    const notices = 'notification.follow-order';
    expect(await control(notices, 'pause', { reason: 'a test' })).toMatchObject({ status: 200 });
    expect(await control('notification.nothing', 'pause', {})).toMatchObject({
      status: 404,
      body: { code: 'subscription_not_found' },
    });
    expect(await stateOf(notices)).toMatchObject({ paused: { reason: 'a test' } });
    const buyer = await Buyer.signIn(shop, 'ann');
    const orderId = await buyer.order([{ sku: 'demo.TEAPOT', quantity: 1 }]);
    await buyer.orderWhen(orderId, 'awaiting_payment');
    await buyer.pay(orderId);
    await buyer.orderWhen(orderId, 'paid');
    await eventually(
      () => stateOf(notices),
      ({ lag }) => lag >= 2,
    );
    expect(await shop.get('/api/me/notifications', buyer.token)).toEqual({ notices: [] });
    expect(await control(notices, 'resume')).toMatchObject({ status: 200, body: { state: 'running' } });
    expect(auditReport(await settledAudit(shop))).toContain('audit: clean');
    const { notices: sent } = (await shop.get('/api/me/notifications', buyer.token)) as {
      notices: object[];
    };
    expect(sent).toHaveLength(2);
  });

  it('sees what a stranger sent into the queue, tries it again, and gives it up', async () => {
    const stranger = await running.openQueue();
    const headers = { ce_id: randomUUID(), ce_type: 'order.paid.v1', ce_source: '/stranger' };
    await stranger.publish([
      { topic: 'order', key: 'nobody', headers, payload: Buffer.from('{"orderId":"?"}') },
    ]);
    await stranger.close();

    const letters = await eventually(list, found => found.length === 7);
    expect(new Set(letters.map(({ reason }) => reason))).toEqual(new Set(['invalid']));
    expect(letters.map(({ subscription }) => subscription)).toContain('points.follow-order');
    expect(Buffer.from(letters[0]!.payload, 'base64').toString()).toBe('{"orderId":"?"}');
    expect(letters[0]!.errors[0]!.error).toContain('orderId: ');
    expect(auditReport(await audit(shop))).toContain('✗');

    const [first] = letters;
    expect(await decide(first!.id, 'replay')).toMatchObject({ status: 200, body: { status: 'replayed' } });
    await eventually(list, found => found.length === 7);
    expect(await decide(first!.id, 'discard', {})).toMatchObject({ status: 400 });
    for (const { id } of letters) {
      expect(await decide(id, 'discard', { reason: 'a stranger' })).toMatchObject({ status: 200 });
    }
    expect(await decide(first!.id, 'replay')).toMatchObject({
      status: 404,
      body: { code: 'dead_letter_not_found' },
    });
    expect(await list('discarded')).toHaveLength(7);
    expect(auditReport(await settledAudit(shop))).toContain('audit: clean');
  });
});
