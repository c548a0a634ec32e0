import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, HttpCode, Module, Post } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { CreateKeyedCalls1700000000100, type KeyedCall, KeyedCalls, type Settled } from '#idempotency';
import { DomainError, messagingMigrations } from '#messaging';
import { RequestClient, ServiceUnavailable } from '#requests';
import { httpAdapter, secureHttp } from '#service-kit';
import { Gate, migratedDatabase, type TestDatabase } from '#testkit';
import { GatewayConfig } from '../gateway.config.js';
import { ProblemFilter } from '../problems/problem.filter.js';
import { ZodBody } from '../problems/zod-body.js';
import { Access } from '../sessions/access.js';
import { Tokens } from '../sessions/tokens.js';
import { setUpHttp } from '../set-up-http.js';
import { CallRegister } from './call-register.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { Idempotent } from './idempotent.js';
import { CallIds, type NewIds } from './new-ids.js';

class Refused extends DomainError {
  constructor(readonly code: string) {
    super(code);
  }
}

const Order = z.object({ quantity: z.int().default(1), note: z.string().optional() });
/** What a call does besides, set by a test. */
let doing: () => Promise<void> = async () => undefined;
/** The ids that calls have created. */
const created: string[] = [];

@Controller('api')
@Access('shopper')
class Routes {
  @Post('orders')
  @HttpCode(202)
  @Idempotent('test')
  async order(@ZodBody(Order) { quantity }: z.output<typeof Order>, @CallIds() ids: NewIds) {
    const orderId = ids.next();
    created.push(orderId);
    await doing();
    return { orderId, quantity, again: ids.again };
  }

  @Post('lists')
  @Access('shopper', { streams: true })
  @Idempotent('test')
  async list(@Body() body: Readable, @CallIds() ids: NewIds) {
    return { id: ids.next(), length: (await text(body)).length };
  }
}

const tokens = new Tokens(
  GatewayConfig.parse({
    SLUICE_INSTANCE: 'test',
    SESSION_SECRET: 'x'.repeat(32),
    OPERATOR_PASSWORD: 'a password',
    SANDBOX_PUBLIC_URL: 'http://127.0.0.1',
  }),
);
let calls: KeyedCalls;
/** The service that remembers the calls, without the network between. */
const requests = {
  ask: async ({ type }: { type: string }, data: { calls: never }) =>
    type.includes('begin')
      ? { calls: await calls.begin(data.calls as readonly KeyedCall[]) }
      : calls.settle(data.calls as readonly Settled[]),
};

@Module({
  controllers: [Routes],
  providers: [
    { provide: Tokens, useValue: tokens },
    { provide: RequestClient, useValue: requests },
    { provide: APP_FILTER, useClass: ProblemFilter },
    CallRegister,
    IdempotencyInterceptor,
  ],
})
class TestModule {}

describe('a call with an idempotency key', () => {
  let own: TestDatabase;
  let database: DataSource;
  let app: NestFastifyApplication;
  let url: string;

  beforeAll(async () => {
    own = await migratedDatabase([...messagingMigrations, CreateKeyedCalls1700000000100]);
    database = await new DataSource({ type: 'postgres', url: own.url }).initialize();
    calls = new KeyedCalls(database);
    const options = { logger: false, bodyParser: false, rawBody: true } as const;
    app = await NestFactory.create<NestFastifyApplication>(TestModule, httpAdapter(), options);
    secureHttp(app, { HTTP_HOSTS: [] });
    setUpHttp(app);
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });

  afterAll(async () => {
    await app.close();
    await database.destroy();
    await own.drop();
  });

  afterEach(() => {
    doing = async () => undefined;
    created.length = 0;
  });

  async function post(path: string, key: string | undefined, body: string, type: string, buyer = 'ann') {
    const response = await fetch(`${url}/api/${path}`, {
      method: 'POST',
      headers: {
        'content-type': type,
        authorization: `Bearer ${tokens.issue({ userId: buyer, role: 'shopper' })}`,
        ...(key !== undefined && { 'idempotency-key': key }),
      },
      body,
    });
    const { status, headers } = response;
    const answer = (await response.json()) as Record<string, unknown>;
    return {
      status,
      answer,
      replayed: headers.get('idempotency-replayed'),
      after: headers.get('retry-after'),
    };
  }
  const order = (key: string | undefined, body: object = {}, buyer?: string) =>
    post('orders', key, JSON.stringify(body), 'application/json', buyer);
  const list = (key: string, body: string) => post('lists', key, body, 'text/csv');

  it('gets the answer of the first, however it is written, and has no second effect', async () => {
    const first = await order('"a \\"key\\""', { quantity: 2, note: 'n' });
    expect(first).toMatchObject({ status: 202, replayed: null, answer: { quantity: 2 } });
    const again = await order('"a \\"key\\""', { note: 'n', quantity: 2 });
    expect(again).toEqual({ ...first, replayed: 'true' });
    expect(created).toHaveLength(1);
  });

  it('counts for its own caller and route; another body is refused; without a key, each call counts', async () => {
    await order('mine');
    expect(await order('mine', { quantity: 2 })).toMatchObject({
      status: 422,
      answer: { code: 'idempotency_key_reused' },
    });
    expect(await order('mine', { quantity: 2 }, 'ben')).toMatchObject({ status: 202, replayed: null });
    expect(await list('mine', 'x')).toMatchObject({ status: 201, replayed: null });
    await order(undefined);
    await order(undefined);
    expect(new Set(created).size).toBe(4);
  });

  it('is told to come back while the first is under way', async () => {
    const [begun, go] = [new Gate(), new Gate()];
    doing = async () => {
      begun.release();
      await go.opened;
    };
    const first = order('slow');
    await begun.opened;
    expect(await order('slow')).toMatchObject({
      status: 409,
      after: '1',
      answer: { code: 'call_under_way' },
    });
    go.release();
    expect((await order('slow').then(() => first)).status).toBe(202);
    expect(created).toHaveLength(1);
  });

  it('keeps a refusal that decides it', async () => {
    doing = () => Promise.reject(new Refused('sold_out'));
    const first = await order('too late');
    expect(first).toMatchObject({ status: 409, replayed: null, answer: { code: 'sold_out' } });
    doing = async () => undefined;
    expect(await order('too late')).toEqual({ ...first, replayed: 'true' });
  });

  it.each(['not_started', 'busy', 'order_not_found'])(
    'is a new call after %s: nothing was done',
    async code => {
      doing = () => Promise.reject(new Refused(code));
      await order(code);
      doing = async () => undefined;
      expect(await order(code, { quantity: 3 })).toMatchObject({ status: 202, answer: { again: false } });
      expect(new Set(created).size).toBe(2);
    },
  );

  it('is a new call after a body that was not understood', async () => {
    expect((await order('typo', { quantity: 'two' })).status).toBe(400);
    expect(await order('typo', { quantity: 2 })).toMatchObject({ status: 202, answer: { again: false } });
  });

  it.each([
    ['nobody answered', () => new ServiceUnavailable('order', 'no answer')],
    ['a defect', () => new Error('a defect')],
    ['a deadline', () => new Refused('expired')],
  ])('is the same call again after %s: it may have had its effect', async (what, error) => {
    doing = () => Promise.reject(error());
    expect((await order(what)).status).toBeGreaterThanOrEqual(500);
    doing = async () => undefined;
    expect((await order(what, { quantity: 2 })).status).toBe(422);
    expect(await order(what)).toMatchObject({ status: 202, answer: { orderId: created[0], again: true } });
    expect(created[1]).toBe(created[0]);
  });

  it('with an upload is compared by its content, once that has arrived', async () => {
    const first = await list('upload', 'a,b\n1,2\n');
    expect(first).toMatchObject({ status: 201, answer: { length: 8 } });
    expect(await list('upload', 'a,b\n1,2\n')).toEqual({ ...first, replayed: 'true' });
    expect(await list('upload', 'a,b\n1,3\n')).toMatchObject({
      status: 422,
      answer: { code: 'idempotency_key_reused' },
    });
  });

  it.each(['', '""', 'x'.repeat(256), '"open', 'ü'])('is refused with a key that is none: %j', async key => {
    const bytes = Buffer.from(key).toString('latin1');
    expect(await order(bytes)).toMatchObject({ status: 400, answer: { code: 'invalid_idempotency_key' } });
    expect(created).toEqual([]);
  });
});
