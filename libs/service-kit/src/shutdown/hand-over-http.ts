import type { Server as HttpServer } from 'node:http';
import { Server } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** The longest time that clients have to finish with their connections, in ms. */
const LONGEST_MS = 3_000;
const LOOK_MS = 20;

/**
 * Prepares an HTTP/1.1 server to stop without losing a call. A keep-alive connection is closed with the
 * response to its next call, which says so (RFC 9112, 9.6). Closing an idle connection could lose a call that
 * is already on its way.
 * @param patienceMs how long clients have to finish with their connections; 3 s at most
 * @returns a function that accepts no more connections and resolves when none are left, or when the time is
 * up
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
    // `net`'s close only stops listening; HTTP's own would also close idle connections.
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
