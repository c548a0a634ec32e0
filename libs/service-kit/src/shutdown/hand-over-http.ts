import type { Server as HttpServer } from 'node:http';
import { Server } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** How long clients have at most to come to the end of their connections, in ms. */
const LONGEST_MS = 3_000;
const LOOK_MS = 20;

/**
 * Prepares a server of HTTP/1.1 to go without a call lost. A connection that is kept alive is closed by the answer
 * of its next call, which says so (RFC 9112, 9.6): one closed while nobody speaks may cross a call on its way.
 * @param patienceMs how long clients have to come to the end of their connections; 3 s at most
 * @returns takes no more connections, and resolves when there are none, or after a while
 */
export function handOverHttp(app: NestFastifyApplication, patienceMs: number): () => Promise<void> {
  let going = false;
  const server: HttpServer = app.getHttpServer();
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onSend', async (_request, reply) => {
      if (going) void reply.header('connection', 'close');
    });
  return async () => {
    going = true;
    // That of `net`, which stops listening and nothing else; HTTP's own would close what is idle, too.
    Server.prototype.close.call(server);
    const until = performance.now() + Math.min(patienceMs, LONGEST_MS);
    while (performance.now() < until) {
      if ((await connections(server)) === 0) return;
      await setTimeout(LOOK_MS);
    }
  };
}

function connections(server: HttpServer): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  );
}
