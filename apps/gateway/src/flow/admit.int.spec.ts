import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Module, Post } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Registry } from 'prom-client';
import { Admission, Admit, type Bucket, DomainError, grantTokens, newBucket } from '#messaging';
import { httpAdapter, secureHttp } from '#service-kit';
import { GatewayConfig } from '../gateway.config.js';
import { ProblemFilter } from '../problems/problem.filter.js';
import { Access } from '../sessions/access.js';
import { Tokens } from '../sessions/tokens.js';
import { setUpHttp } from '../set-up-http.js';
import { countCalls } from './count-calls.js';

class Busy extends DomainError {
  readonly code = 'busy';
}

const done: string[] = [];

@Controller('api')
class Routes {
  @Post('campaigns/:id/orders')
  @Access('shopper')
  @Admit('campaign:{id}')
  click(): string {
    done.push('click');
    return 'done';
  }

  @Post('orders')
  @Access('anyone')
  @Admit('route:tests', { whenAway: 'admit' })
  order(): string {
    return 'done';
  }

  @Post('busy')
  @Access('anyone')
  @Admit('route:busy')
  busy(): string {
    throw new Busy('too much');
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
const buckets = new Map<string, Bucket>();
let isAway = false;
const admission = new Admission({
  ask: async asks => {
    if (isAway) throw new Error('away');
    return asks.map(ask => {
      const { bucket, grant } = grantTokens(buckets.get(ask.bucket)!, ask, performance.now());
      buckets.set(ask.bucket, bucket);
      return grant;
    });
  },
  list: async () => [...buckets.keys()].map(name => ({ name, version: 1, removed: false })),
});

@Module({
  controllers: [Routes],
  providers: [
    { provide: Tokens, useValue: tokens },
    { provide: Admission, useValue: admission },
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
})
class TestModule {}

describe('a route with a token bucket', () => {
  const ID = '0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee';
  let app: NestFastifyApplication;
  let url: string;
  const registry = new Registry();

  beforeAll(async () => {
    const spec = { ratePerSecond: 0.5, capacity: 2, adaptive: null };
    for (const name of [`campaign:${ID}`, 'route:tests', 'route:busy'])
      buckets.set(name, newBucket(spec, performance.now()));
    app = await NestFactory.create<NestFastifyApplication>(TestModule, httpAdapter(), {
      logger: false,
      bodyParser: false,
    });
    secureHttp(app, { HTTP_HOSTS: [] });
    setUpHttp(app);
    countCalls(registry, admission);
    admission.start();
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });

  afterAll(async () => {
    await admission.stop();
    await app.close();
  });

  const post = (path: string, token?: string) =>
    fetch(`${url}/api/${path}`, {
      method: 'POST',
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });

  it('takes a token from who may call it, however the id is written, and says when to come back', async () => {
    const shopper = tokens.issue({ userId: 'ann', role: 'shopper' });
    for (let n = 0; n < 5; n += 1) expect((await post(`campaigns/${ID}/orders`)).status).toBe(401);
    const written = [ID, ID.toUpperCase(), `%30${ID.slice(1)}`, ID.toUpperCase()];
    const answers = [];
    for (const id of written) answers.push(await post(`campaigns/${id}/orders`, shopper));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 429, 429]);
    expect(done).toEqual(['click', 'click']);
    expect(answers[2]!.headers.get('retry-after')).toMatch(/^[12]$/);
    expect(answers[2]!.headers.get('content-type')).toContain('application/problem+json');
    expect(await answers[2]!.json()).toMatchObject({
      status: 429,
      code: 'too_many_requests',
      bucket: `campaign:${ID}`,
      retryAfterSeconds: expect.any(Number),
    });
    // Another campaign has no bucket.
    for (let n = 0; n < 5; n += 1)
      expect((await post(`campaigns/${ID.replace('0', '1')}/orders`, shopper)).status).toBe(201);
    const metrics = await registry.metrics();
    expect(metrics).toContain('sluice_flow_calls_total{bucket="campaign:{id}",outcome="admitted"} 2');
    expect(metrics).toContain('sluice_flow_calls_total{bucket="campaign:{id}",outcome="refused"} 2');
  });

  it('reports how calls end', async () => {
    expect((await post('busy')).status).toBe(503);
    await admission.stop();
    expect(Object.values(buckets.get('route:busy')!.state.holders)).toMatchObject([
      { admitted: 1, completed: 0, overloaded: 1 },
    ]);
  });

  it('is closed while nobody answers for its bucket, or open if it says so', async () => {
    isAway = true;
    const statuses = [];
    for (const path of ['busy', 'orders', 'orders', 'orders']) statuses.push((await post(path)).status);
    isAway = false;
    expect(statuses).toEqual([503, 201, 201, 201]);
    expect(buckets.get('route:tests')!.state.admitted).toBe(0);
  });
});
