import { HttpException } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { runInTrace } from '#messaging';
import { documentProblems } from './problems/document-problems.js';
import { asyncApi } from './pages/async-api.js';
import { Tokens } from './sessions/tokens.js';
import { checkAccess } from './sessions/check-access.js';

/** What the gateway's HTTP server has besides its controllers: traces, streamed uploads, API documents. */
export function setUpHttp(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { traceparent } = request.headers;
    runInTrace(typeof traceparent === 'string' ? traceparent : undefined, done);
  });
  checkAccess(fastify, app.get(Tokens));
  // A list of products is not read into memory: the controller of its route gets the stream.
  fastify.addContentTypeParser(['text/csv', 'application/x-ndjson'], (request, payload, done) => {
    if (request.routeOptions.config.streams === true) done(null, payload);
    else done(new HttpException('send application/json', 415));
  });

  const document = new DocumentBuilder()
    .setTitle('Sluice')
    .setDescription('A shop that stays up when everyone shows up. Errors are problem details (RFC 9457).')
    .setVersion('1')
    .setOpenAPIVersion('3.1.1')
    .addBearerAuth()
    .build();
  SwaggerModule.setup('docs', app, () => documentProblems(SwaggerModule.createDocument(app, document)), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
  });
  fastify.get('/asyncapi.json', async () => asyncApi());
}
