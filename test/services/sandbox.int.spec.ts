import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ServiceHarness } from '#testkit';
import { SandboxConfig } from '../../apps/sandbox/src/sandbox.config.js';
import { sandboxDatabase } from '../../apps/sandbox/src/sandbox.database.js';
import { SandboxModule } from '../../apps/sandbox/src/sandbox.module.js';
import { checkoutPage } from '../../apps/sandbox/src/payments/checkout-page.js';

const KEY = 'a-key-of-the-provider';
const CALLBACK = 'http://127.0.0.1:1/callback';
const WEBHOOK = `whsec_${Buffer.from('a secret of the test, long enough').toString('base64')}`;

describe('the payment provider', () => {
  let harness: ServiceHarness;

  beforeEach(async () => {
    harness = await ServiceHarness.start({
      module: SandboxModule,
      migrations: sandboxDatabase.migrations,
      hasMessages: false,
      http: app => void app.useBodyParser('application/x-www-form-urlencoded'),
      config: DATABASE_URL =>
        SandboxConfig.parse({
          DATABASE_URL,
          PUBLIC_URL: 'http://127.0.0.1',
          PAYMENT_SECRET: 'x'.repeat(16),
          PAYMENT_CALLBACK_URL: CALLBACK,
          PAYMENT_API_KEY: KEY,
          SMS_API_KEY: `${KEY}-for-texts`,
          MERCHANT_WEBHOOK_SECRET: WEBHOOK,
          ALERT_WEBHOOK_SECRET: WEBHOOK,
        }),
    });
  });

  afterEach(() => harness.stop());

  const checkout = () => ({
    paymentId: randomUUID(),
    amountMinor: 1_250,
    currency: 'GBP',
    callbackUrl: CALLBACK,
  });
  const open = (body: object, key = KEY) =>
    harness.app.inject({
      method: 'POST',
      url: '/payments/checkouts',
      headers: { authorization: `Bearer ${key}` },
      payload: body,
    });

  it("opens no checkout without its customer's key", async () => {
    expect((await open(checkout(), 'another-key')).statusCode).toBe(401);
    expect((await open(checkout())).statusCode).toBe(201);
    const text = { to: 'ann', text: 'hello' };
    const sms = await harness.app.inject({ method: 'POST', url: '/sms', payload: text });
    expect(sms.statusCode).toBe(401);
  });

  it('refuses a currency with a script in it, and a callback to any but the registered address', async () => {
    const script = '<script>alert(1)</script>';
    expect((await open({ ...checkout(), currency: script })).statusCode).toBe(400);
    expect((await open({ ...checkout(), callbackUrl: 'http://127.0.0.1:9200/' })).statusCode).toBe(400);
    expect(checkoutPage(1, 'GBP', script)).not.toContain(script);
  });

  it('does not change a payment that it knows', async () => {
    const first = checkout();
    expect((await open(first)).statusCode).toBe(201);
    expect((await open(first)).statusCode).toBe(201);
    expect((await open({ ...first, amountMinor: 1 })).statusCode).toBe(409);
  });

  it('shows a person who declines the page again, and tells a program in JSON', async () => {
    const { paymentId } = checkout();
    await open({ ...checkout(), paymentId });
    const url = `/payments/checkouts/${paymentId}`;
    const form = await harness.app.inject({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'outcome=declined',
    });
    expect([form.statusCode, form.headers['location']]).toEqual([303, url]);
    const page = await harness.app.inject({ method: 'GET', url });
    expect(page.body).toContain('Declined. You may try again.');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    const program = await harness.app.inject({ method: 'POST', url, payload: { outcome: 'paid' } });
    expect(program.json()).toEqual({ paymentId, outcome: 'paid' });
  });

  it('answers every refusal with problem details', async () => {
    const { paymentId } = checkout();
    const ask = (method: 'GET' | 'POST' | 'PUT', url: string, payload?: object | string) =>
      harness.app.inject({
        method,
        url,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
        ...(payload !== undefined && { payload }),
      });
    await open({ ...checkout(), paymentId });
    const refusals = [
      [await open(checkout(), 'another-key'), 401, 'unauthorized'],
      [await open({ ...checkout(), currency: '' }), 400, 'invalid_input'],
      [await open({ ...checkout(), paymentId, amountMinor: 1 }), 409, 'conflict'],
      [await ask('POST', '/payments/checkouts', '{"cut'), 400, 'invalid_input'],
      [await ask('POST', `/payments/checkouts/${randomUUID()}`, { outcome: 'paid' }), 404, 'not_found'],
      [await ask('PUT', '/faults/nothing', {}), 400, 'invalid_input'],
      [await ask('GET', '/nowhere'), 404, 'not_found'],
    ] as const;
    for (const [answer, status, code] of refusals) {
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.json()).toMatchObject({ status, code, type: `/problems/${code}` });
    }
    expect(refusals[0][0].headers['www-authenticate']).toContain('Bearer');
  });
});
