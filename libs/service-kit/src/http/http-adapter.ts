import { STATUS_CODES } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyServerOptions } from 'fastify';
import { problem } from './problem.js';

/** The largest body that is read into memory, in bytes. */
export const BODY_BYTES = 1024 * 1024;

/** What a client did wrong before there is a request, by Node's error code. */
const CLIENT_ERRORS: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'headers_too_large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'too_slow'],
};

/** What every answer has that is given before the app's own hooks run. */
const HEADERS = {
  'content-type': 'application/problem+json',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

/** For a URL that no route can have. */
const refuseUrl: Exclude<FastifyServerOptions['frameworkErrors'], undefined> = (
  { statusCode = 400, message },
  _request,
  reply,
) => {
  const code = statusCode === 414 ? 'url_too_long' : 'invalid_input';
  void (reply as FastifyReply)
    .code(statusCode)
    .headers(HEADERS)
    .send(problem(statusCode, code, message));
};

/** Requests are parsed by their contracts. Fastify would load two compilers of JSON schemas that nothing uses. */
const NO_SCHEMAS = {
  buildValidator: () => refuseSchema,
  buildSerializer: () => refuseSchema,
};

function refuseSchema(): never {
  throw new Error('routes have no JSON schemas here; parse with zod');
}

/** Fastify as every app uses it. Errors that arise before Nest are problem details too. */
export function httpAdapter(): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_BYTES,
    keepAliveTimeout: 65_000,
    routerOptions: { maxParamLength: 200 },
    // Node would answer a request without a Host by an empty 400; `checkHost` says what is wrong.
    http: { requireHostHeader: false },
    frameworkErrors: refuseUrl,
    schemaController: { compilersFactory: NO_SCHEMAS },
    clientErrorHandler: (error, socket) => {
      if (error.code === 'ECONNRESET' || socket.destroyed) return;
      const [status, code] = CLIENT_ERRORS[error.code] ?? [400, 'invalid_input'];
      const body = problem(status, code, error.message);
      const headers = { ...HEADERS, 'content-length': Buffer.byteLength(body), connection: 'close' };
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      if (socket.writable)
        socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
      socket.destroy(error);
    },
  });
  const server = adapter.getInstance().server;
  server.on('checkExpectation', (_request, response) => {
    const body = problem(
      417,
      'expectation_failed',
      'an Expect header other than 100-continue is not supported',
    );
    response.writeHead(417, { ...HEADERS, 'content-length': Buffer.byteLength(body) }).end(body);
  });
  return adapter;
}
