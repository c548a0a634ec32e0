import { isIP } from 'node:net';
import { HttpException } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';

/**
 * Refuses names that a stranger's DNS may point here (DNS rebinding). This machine's name, IP addresses and the
 * configured names pass.
 */
export function checkHost(fastify: FastifyInstance, names: readonly string[]): void {
  const known = new Set(['localhost', ...names.map(name => name.toLowerCase())]);
  fastify.addHook('onRequest', (request, _reply, done) => {
    const host = request.raw.headers.host ?? '';
    const name = /^(\[[\da-f:.]+\]|[^:[\]]+)(:\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase() ?? '';
    const isKnown = known.has(name) || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
    done(
      isKnown
        ? undefined
        : new HttpException(`"${host}" is not a name of this server; add it to HTTP_HOSTS`, 421),
    );
  });
}
