import type { FastifyInstance } from 'fastify';
import { DomainError } from '#messaging';
import type { Session } from './access.js';
import type { Tokens } from './tokens.js';

declare module 'fastify' {
  interface FastifyRequest {
    session?: Session;
  }
}

export class OperatorsOnly extends DomainError {
  readonly code = 'operators_only';
  constructor() {
    super('this is for operators; sign in with POST /api/sessions {"adminPassword"}');
  }
}

/** The routes of the API page and of the documents, by their patterns. */
const DOCUMENTS = /^\/(docs(\/.*)?|openapi\.(json|yaml)|asyncapi\.json)$/;

/** The API page brings its own files, and styles within the page. */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; frame-ancestors 'none'";

/**
 * Admits the callers that a route's `@Access` names, before anything of the body is read. An operator may do everything
 * that a shopper may. The route that was matched decides, never the URL as it was written.
 */
export function checkAccess(fastify: FastifyInstance, tokens: Tokens): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const { url = '', config } = request.routeOptions;
    const isDocument = DOCUMENTS.test(url);
    if (isDocument) void reply.header('content-security-policy', DOCS_POLICY);
    // An unknown route is a 404 to anyone.
    const access = request.is404 || isDocument ? 'anyone' : (config?.access ?? 'operator');
    if (access !== 'anyone' || request.method === 'POST') void reply.header('cache-control', 'no-store');
    if (access === 'anyone') return done();
    try {
      const session = tokens.read(request.headers.authorization);
      if (access === 'operator' && session.role !== 'operator') throw new OperatorsOnly();
      request.session = session;
      done();
    } catch (error) {
      done(error as Error);
    }
  });
}
