import { isUtf8 } from 'node:buffer';
import { HttpException } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { BODY_BYTES } from './http-adapter.js';

/** JSON in UTF-8, and nothing else, unless the app adds a parser. An empty body is fine whatever its type. */
export function parseBodies(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  const json = fastify.getDefaultJsonParser('error', 'error');
  app.useBodyParser('application/json', { bodyLimit: BODY_BYTES }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    if (!isUtf8(body as Buffer)) return done(new HttpException('the body is not valid UTF-8', 400));
    void json(request as never, body.toString(), done);
  });
  fastify.removeContentTypeParser('text/plain');
  // Nothing to read is nothing to refuse, also where a body is announced without its length.
  fastify.addContentTypeParser(
    '*',
    async (_request: unknown, payload: import('node:http').IncomingMessage) => {
      const first = await payload.iterator({ destroyOnReturn: false }).next();
      if (first.done !== true) throw new HttpException('send application/json', 415);
    },
  );
}
