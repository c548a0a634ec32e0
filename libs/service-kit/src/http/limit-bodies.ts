import { HttpException } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import './route-config.js';

/** How long a body may take, in ms, unless its route says otherwise. */
const BODY_MS = 10_000;

/** Bounds the time that a body may take to arrive, and refuses encodings that nobody reads. */
export function limitBodies(fastify: FastifyInstance, bodyMs: number = BODY_MS): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const { headers } = request.raw;
    if (headers['content-type'] === '') delete headers['content-type'];
    if (headers['transfer-encoding'] === undefined && !(Number(headers['content-length']) > 0)) {
      // There is no body, whatever type it claims to have.
      delete headers['content-type'];
      return done();
    }
    const limitMs = request.routeOptions.config?.bodyMs ?? bodyMs;
    const timer = setTimeout(() => cutOff(request, reply, limitMs), limitMs);
    const over = () => clearTimeout(timer);
    request.raw.once('end', over).once('close', over);
    if ((headers['content-encoding'] ?? 'identity') === 'identity') return done();
    void reply.header('accept-encoding', 'identity');
    done(new HttpException('compressed bodies are not read; send it without Content-Encoding', 415));
  });
}

/** Also ends the rest of a body that was refused unread: Node reads and drops it meanwhile. */
function cutOff(request: FastifyRequest, reply: FastifyReply, limitMs: number): void {
  const tooSlow = new HttpException(`the body did not arrive within ${limitMs / 1_000} s`, 408);
  const cut = () => void request.raw.destroy(tooSlow);
  if (reply.sent) return cut();
  // The answer first; whoever still reads the stream then gets the same error.
  reply.raw.once('close', cut);
  void reply.header('connection', 'close').send(tooSlow);
}
