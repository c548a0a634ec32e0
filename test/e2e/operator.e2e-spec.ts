import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '#testkit';
import { auditReport, Buyer, type ShopClient, type RunningShop, startShop } from '#shop-kit';
import { openQueue } from './open-queue.js';

interface State {
  readonly name: string;
  readonly lag: number;
  readonly parked: number;
  readonly dead: number;
  readonly paused: object | null;
  readonly waiting: { readonly reason: string } | null;
}

interface Letter {
  readonly text: string;
  readonly traceId: string;
  readonly id: string;
  readonly subscription: string;
  readonly reason: string;
  readonly payload: string;
  readonly errors: readonly { readonly error: string }[];
}

describe('an operator of the queue', () => {
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

  const list = async (status = 'dead') =>
    (
      (await shop.get(`/api/admin/messaging/dead-letters?status=${status}`, operator)) as {
        deadLetters: Letter[];
      }
    ).deadLetters;
  const decide = (id: string, what: string, body?: object) =>
    shop.call('POST', `/api/admin/messaging/dead-letters/${id}/${what}`, { body, token: operator });

  const stateOf = async (wanted: string) => {
    const { subscriptions } = (await shop.get('/api/admin/messaging/subscriptions', operator)) as {
      subscriptions: State[];
    };
    return subscriptions.find(({ name }) => name === wanted)!;
  };
  /** The pages that the person on call received, in order. */
  const pages = async (kind: string, subject: string) => {
    const { body } = await shop.call('GET', `${running.sandboxUrl}/pager`);
    const all = body as { body: { type: string; data: { kind: string; subject: string } } }[];
    const wanted = all.filter(({ body: { data } }) => data.kind === kind && data.subject === subject);
    return wanted.map(page => page.body.type).reverse();
  };
  const noticesOf = async (buyer: Buyer) =>
    ((await shop.get('/api/me/notifications', buyer.token)) as { notices: object[] }).notices;
  const cli = async (...args: string[]) => {
    const program = resolve('dist/tools/messaging/main.js');
    const told = {
      SLUICE_URL: running.url,
      SLUICE_OPERATOR_PASSWORD: running.operatorPassword,
      NODE_OPTIONS: '',
    };
    const { stdout } = await promisify(execFile)('node', [program, ...args], {
      env: { ...process.env, ...told },
    });
    return stdout;
  };
  const notices = 'notification.follow-order';

  it('pauses a subscription and lets it go on: what came meanwhile waits, and nothing else does', async () => {
    const control = (name: string, what: string, body?: object) =>
      shop.call('POST', `/api/admin/messaging/subscriptions/${name}/${what}`, { body, token: operator });
    expect(await control(notices, 'pause', { reason: 'a test' })).toMatchObject({ status: 200 });
    expect(await control('notification.nothing', 'pause', {})).toMatchObject({
      status: 404,
      body: { code: 'subscription_not_found' },
    });
    expect(await stateOf(notices)).toMatchObject({ paused: { reason: 'a test' } });
    const buyer = await Buyer.signIn(shop, 'ann');
    const orderId = await buyer.order([{ sku: 'demo.TEAPOT', quantity: 1 }]);
    await buyer.untilOrder(orderId, 'awaiting_payment');
    await buyer.pay(orderId);
    await buyer.untilOrder(orderId, 'paid');
    await eventually(
      () => stateOf(notices),
      ({ lag }) => lag >= 2,
    );
    expect(await noticesOf(buyer)).toEqual([]);
    expect(await control(notices, 'resume')).toMatchObject({ status: 200, body: { state: 'running' } });
    expect(auditReport(await shop.operator.untilSettled())).toContain('audit: clean');
    expect(await noticesOf(buyer)).toHaveLength(2);
    const { actions } = (await shop.get('/api/admin/messaging/actions', operator)) as { actions: object[] };
    expect(actions).toMatchObject([
      { action: 'resume', subscription: notices, by: '-operator-' },
      { action: 'pause', subscription: notices, by: '-operator-', note: 'a test' },
    ]);
  });

  it('is told that the SMS gateway is away; notices wait, count no attempt, and go out when it is back', async () => {
    await running.faults.outside('sms', { failRate: 1 });
    const buyer = await Buyer.signIn(shop, 'outage');
    const orderId = await buyer.order([{ sku: 'demo.TEAPOT', quantity: 1 }]);
    await buyer.untilOrder(orderId, 'awaiting_payment');
    const state = await eventually(
      () => stateOf(notices),
      ({ waiting }) => waiting !== null,
    );
    expect(state).toMatchObject({ parked: 0, dead: 0 });
    expect(state.waiting!.reason).toContain('the SMS gateway is not available');
    await eventually(
      () => pages('waiting', notices),
      told => told.length === 1,
    );
    expect(await noticesOf(buyer)).toEqual([]);
    expect(await cli('alerts', '--open')).toContain(`${notices} has waited`);
    await running.faults.repair('sms');
    await eventually(
      () => noticesOf(buyer),
      sent => sent.length === 1,
    );
    await eventually(
      () => pages('waiting', notices),
      told => told.length === 2,
    );
    expect(await pages('waiting', notices)).toEqual(['alert.raised', 'alert.cleared']);
    expect(await stateOf(notices)).toMatchObject({ parked: 0, dead: 0, waiting: null });
    expect(auditReport(await shop.operator.untilSettled())).toContain('audit: clean');
  });

  it('goes from an alert to the dead letter, to what is wrong, to the replay', async () => {
    await running.faults.outside('sms', { failRate: 1, failStatus: 400 });
    const buyer = await Buyer.signIn(shop, 'wrong-number');
    const orderId = await buyer.order([{ sku: 'demo.TEAPOT', quantity: 1 }]);
    await buyer.untilOrder(orderId, 'awaiting_payment');
    await eventually(
      () => pages('dead', notices),
      told => told.length === 1,
    );
    const { alerts } = (await shop.get('/api/admin/messaging/alerts?open=true', operator)) as {
      alerts: { kind: string; subject: string; message: string }[];
    };
    expect(alerts).toMatchObject([{ kind: 'dead', subject: notices }]);
    // The alert says where to look.
    const path = /GET (\S+)/.exec(alerts[0]!.message)![1]!;
    const { deadLetters } = (await shop.get(`${path}&contains=${orderId}`, operator)) as {
      deadLetters: Letter[];
    };
    expect(deadLetters).toHaveLength(1);
    const { id, traceId } = deadLetters[0]!;
    const letter = (await shop.get(`/api/admin/messaging/dead-letters/${id}`, operator)) as Letter;
    expect(letter.text).toContain(orderId);
    expect(letter.errors).toHaveLength(6);
    expect(letter.errors[0]!.error).toContain('the SMS gateway answered 400');
    expect(await cli('dead-letters', '--trace-id', traceId)).toContain(id);
    expect(await cli('dead-letter', id)).toContain('the SMS gateway answered 400');

    await running.faults.repair('sms');
    expect(await cli('replay', '--subscription', notices, '--error', 'answered 400')).toContain(
      'replayed: 1\n',
    );
    await eventually(
      () => noticesOf(buyer),
      sent => sent.length === 1,
    );
    await eventually(
      () => pages('dead', notices),
      told => told.length === 2,
    );
    expect(await cli('actions', '--limit', '1')).toContain(id);
    expect(auditReport(await shop.operator.untilSettled())).toContain('audit: clean');
  });

  it('is refused what would decide on letters that nobody named', async () => {
    const replay = (body: object) =>
      shop.call('POST', '/api/admin/messaging/dead-letters/replay', { body, token: operator });
    expect(await replay({})).toMatchObject({ status: 400 });
    expect(await replay({ filter: { typo: 'x' } })).toMatchObject({ status: 400 });
    expect(await replay({ all: true })).toMatchObject({ status: 200, body: { replayed: 0 } });
    const list = (query: string) =>
      shop.call('GET', `/api/admin/messaging/dead-letters?${query}`, { token: operator });
    expect(await list('cursor=x')).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
    expect(await list('contains=%00')).toMatchObject({ status: 400 });
  });

  it('sees what a stranger sent into the queue, tries it again, and gives it up', async () => {
    const stranger = await openQueue(running);
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
    expect(auditReport(await shop.operator.audit())).toContain('✗');

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
    expect(auditReport(await shop.operator.untilSettled())).toContain('audit: clean');
  });
});
