import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { requireSuccess } from './dependency.js';
import { postOutside } from './post-outside.js';

describe('a call to the outside', () => {
  const asked: string[] = [];
  let server: Server;
  let url: string;

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      const status = Number(request.url!.slice(1));
      if (status >= 300 && status < 400) response.writeHead(status, { location: '/200' }).end();
      else response.writeHead(status).end('answer');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => void server.close());

  const post = (status: number) =>
    postOutside(`${url}/${status}`, { headers: {}, body: '{}', signal: AbortSignal.timeout(5_000) });

  it.each([301, 302, 303, 307, 308])(
    'does not follow a redirect, and takes it for no success: %d',
    async status => {
      asked.length = 0;
      const answer = await post(status);
      expect(answer).toMatchObject({ ok: false, status, location: '/200' });
      expect(() => requireSuccess('the provider', answer)).toThrow(`answered ${status}, moved to /200`);
      expect(asked).toEqual([`POST /${status}`]);
    },
  );

  it('tells what was answered', async () => {
    expect(await post(200)).toEqual({ ok: true, status: 200, text: 'answer', location: null });
    expect(await post(503)).toMatchObject({ ok: false, status: 503 });
  });
});
