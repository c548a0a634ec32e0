import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { httpAdapter, secureHttp } from '#service-kit';
import { GatewayConfig } from '../gateway.config.js';
import { ProblemFilter } from '../problems/problem.filter.js';
import { setUpHttp } from '../set-up-http.js';
import { Access } from './access.js';
import { Tokens } from './tokens.js';

@Controller('un')
class Undecorated {
  @Get()
  get(): string {
    return 'secret';
  }
}

@Controller('api/things')
@Access('shopper')
class Things {
  @Get()
  list(): string {
    return 'things';
  }

  @Get('open')
  @Access('anyone')
  open(): string {
    return 'open';
  }

  @Post()
  @Access('operator')
  make(@Body() body: unknown): unknown {
    return { body };
  }
}

const SETTINGS = {
  SLUICE_INSTANCE: 'test',
  SESSION_SECRET: 'x'.repeat(32),
  OPERATOR_PASSWORD: 'a password',
  SANDBOX_PUBLIC_URL: 'http://127.0.0.1',
};
const tokensWith = (password: string) =>
  new Tokens(GatewayConfig.parse({ ...SETTINGS, OPERATOR_PASSWORD: password }));

@Module({
  controllers: [Undecorated, Things],
  providers: [
    { provide: Tokens, useFactory: () => tokensWith('a password') },
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
})
class TestModule {}

describe('access', () => {
  let app: NestFastifyApplication;
  let url: string;
  const shopper = tokensWith('a password').issue({ userId: 'ann', role: 'shopper' });
  const operator = tokensWith('a password').issue({ userId: '-operator-', role: 'operator' });

  beforeAll(async () => {
    app = await NestFactory.create<NestFastifyApplication>(TestModule, httpAdapter(), {
      logger: false,
      bodyParser: false,
    });
    secureHttp(app, { HTTP_HOSTS: [] });
    setUpHttp(app);
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });

  afterAll(() => app.close());

  const get = async (path: string, authorization?: string) => {
    const response = await fetch(`${url}${path}`, {
      headers: authorization === undefined ? {} : { authorization },
    });
    return { status: response.status, headers: response.headers };
  };

  it.each(['/un', '/%75n', '/un?x=1', '/%75%6e'])(
    'is closed where a route says nothing, however it is written: %s',
    async path => {
      expect((await get(path)).status).toBe(401);
      expect((await get(path, `Bearer ${shopper}`)).status).toBe(403);
      expect((await get(path, `Bearer ${operator}`)).status).toBe(200);
    },
  );

  it('is what the method says, else what its controller says; an unknown route is a 404 to anyone', async () => {
    expect((await get('/api/things')).status).toBe(401);
    expect((await get('/api/things', `Bearer ${shopper}`)).status).toBe(200);
    expect((await get('/api/things/open')).status).toBe(200);
    expect((await get('/api/nothing')).status).toBe(404);
  });

  it('says how to authenticate, and that nobody should keep what is behind it', async () => {
    const refused = await get('/api/things');
    expect(refused.headers.get('www-authenticate')).toContain('Bearer');
    expect((await get('/api/things', `Bearer ${shopper}`)).headers.get('cache-control')).toBe('no-store');
  });

  it('takes the scheme in any case, and no token with a tail', async () => {
    for (const scheme of ['bearer', 'BEARER', 'Bearer '])
      expect((await get('/api/things', `${scheme} ${shopper}`)).status).toBe(200);
    for (const header of [`Bearer ${shopper} x`, `Basic ${shopper}`, shopper])
      expect((await get('/api/things', header)).status).toBe(401);
  });

  it('ends for operators when the password changes', async () => {
    const old = tokensWith('another one').issue({ userId: '-operator-', role: 'operator' });
    expect((await get('/un', `Bearer ${old}`)).status).toBe(401);
    const guest = tokensWith('another one').issue({ userId: 'ben', role: 'shopper' });
    expect((await get('/api/things', `Bearer ${guest}`)).status).toBe(200);
  });

  it.each(['application/json', 'text/csv'])(
    'is checked before a byte of the body is read: %s',
    async type => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.write(
        `POST /api/things HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${type}\r\ncontent-length: 100000000\r\n\r\n`,
      );
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 401/);
      socket.destroy();
    },
  );

  it('does not let a list of products into any other route', async () => {
    const response = await fetch(`${url}/api/things`, {
      method: 'POST',
      body: 'code\nA\n',
      headers: { authorization: `Bearer ${operator}`, 'content-type': 'text/csv' },
    });
    expect(response.status).toBe(415);
  });
});
