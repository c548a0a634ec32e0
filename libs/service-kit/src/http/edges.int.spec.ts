import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { RouteConfig } from '@nestjs/platform-fastify';
import { httpAdapter } from './http-adapter.js';
import { secureHttp } from './secure-http.js';

@Controller()
class Echo {
  @Get('page')
  page(): string {
    return 'page';
  }

  @Post('echo')
  echo(@Body() body: unknown): { body: unknown } {
    return { body: body ?? null };
  }

  @Post('hasty')
  @RouteConfig({ bodyMs: 150 })
  hasty(@Body() body: unknown): { body: unknown } {
    return { body };
  }
}

@Module({ controllers: [Echo] })
class EchoModule {}

describe('the HTTP side of an app', () => {
  let app: NestFastifyApplication;
  let port: number;

  beforeAll(async () => {
    app = await NestFactory.create<NestFastifyApplication>(EchoModule, httpAdapter(), {
      logger: false,
      rawBody: true,
      bodyParser: false,
    });
    secureHttp(app, { HTTP_HOSTS: ['shop.example'] });
    await app.listen(0, '127.0.0.1');
    port = Number(new URL(await app.getUrl()).port);
  });

  afterAll(() => app.close());

  /** What the server answers to these bytes, until it closes or has answered as announced. */
  async function send(...parts: string[]): Promise<{ status: number; head: string; body: string }> {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', chunk => {
      text += chunk.toString('latin1');
      const length = /content-length: (\d+)/i.exec(text)?.[1];
      const [, body] = text.split('\r\n\r\n');
      if (length !== undefined && body !== undefined && body.length >= Number(length)) socket.end();
    });
    for (const part of parts) socket.write(part);
    await once(socket, 'close');
    const [head = '', body = ''] = text.split('\r\n\r\n', 2);
    return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head: head.toLowerCase(), body };
  }

  const get = (path: string, headers = 'host: localhost') =>
    send(`GET ${path} HTTP/1.1\r\n${headers}\r\n\r\n`);
  const post = (path: string, headers: string, body = '') =>
    send(`POST ${path} HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n\r\n${body}`);

  it.each<[string, () => ReturnType<typeof send>, number, string]>([
    ['a URL that cannot be decoded', () => get('/%zz'), 400, 'invalid_input'],
    [
      'headers that are too long',
      () => get('/page', `host: localhost\r\nx: ${'x'.repeat(20_000)}`),
      431,
      'headers_too_large',
    ],
    [
      'a method that does not exist',
      () => send('BREW / HTTP/1.1\r\nhost: localhost\r\n\r\n'),
      400,
      'invalid_input',
    ],
    [
      'two lengths',
      () => post('/echo', 'content-length: 3\r\ncontent-length: 4', 'abc'),
      400,
      'invalid_input',
    ],
    ['an expectation', () => post('/echo', 'expect: tea\r\ncontent-length: 0'), 417, 'expectation_failed'],
  ])('answers %s with a problem document', async (_, ask, status, code) => {
    const answer = await ask();
    expect(answer.status).toBe(status);
    expect(answer.head).toContain('content-type: application/problem+json');
    expect(answer.head).toContain('x-content-type-options: nosniff');
    expect(JSON.parse(answer.body)).toMatchObject({ status, code, detail: expect.any(String) });
  });

  it('has a policy for browsers on everything', async () => {
    const { head } = await get('/page');
    expect(head).toContain("content-security-policy: default-src 'none'");
    expect(head).toContain('frame-ancestors');
    expect(head).toContain('x-content-type-options: nosniff');
  });

  it.each([
    ['localhost:3000', 200],
    ['127.0.0.1', 200],
    ['[::1]:80', 200],
    ['Shop.Example', 200],
    ['evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['localhost.', 421],
    ['', 421],
  ])('is known by its names alone: "%s" gets %d', async (host, status) => {
    expect((await get('/page', `host: ${host}`)).status).toBe(status);
  });

  it('refuses a request without a host', async () => {
    expect((await get('/page', 'x: y')).status).toBe(421);
  });

  it.each(['application/json', 'application/xml', 'text/csv', ''])(
    'takes an empty body for none, whatever its type: "%s"',
    async type => {
      for (const length of ['content-length: 0\r\n', 'transfer-encoding: chunked\r\n']) {
        const { status, body } = await post(
          '/echo',
          `${length}content-type: ${type}`,
          length.startsWith('t') ? '0\r\n\r\n' : '',
        );
        expect([status, body]).toEqual([201, '{"body":null}']);
      }
    },
  );

  it.each([
    ['text that is not UTF-8', 'content-type: application/json\r\ncontent-length: 3', '"\xff"', 400],
    [
      'a compressed body',
      'content-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 2',
      '{}',
      415,
    ],
    ['another type', 'content-type: text/plain\r\ncontent-length: 2', 'hi', 415],
    ['what is not JSON', 'content-type: application/json\r\ncontent-length: 1', '{', 400],
  ])('refuses %s', async (_, headers, body, status) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`POST /echo HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${headers}\r\n\r\n`);
    socket.write(Buffer.from(body, 'latin1'));
    const chunks: Buffer[] = [];
    socket.on('data', chunk => chunks.push(chunk));
    await once(socket, 'close');
    expect(Buffer.concat(chunks).toString()).toMatch(new RegExp(`^HTTP/1.1 ${status}`));
  });

  it('cuts off a body that does not arrive in time, also one that was refused unread', async () => {
    const slow = await post('/hasty', 'content-type: application/json\r\ncontent-length: 1000', '{"a":');
    expect(slow.status).toBe(408);
    const refused = await post(
      '/hasty',
      'content-type: application/json\r\ncontent-encoding: br\r\ncontent-length: 1000',
      'x',
    );
    expect(refused.status).toBe(415);
  });
});
