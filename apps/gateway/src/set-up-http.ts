import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { runInTrace } from '#messaging';
import { asyncApi } from './pages/async-api.js';

/** What the gateway's HTTP server has besides its controllers: traces, streamed uploads, API documents. */
export function setUpHttp(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { traceparent } = request.headers;
    runInTrace(typeof traceparent === 'string' ? traceparent : undefined, done);
  });
  // A publication is not read into memory: the controller gets the stream.
  fastify.addContentTypeParser(['text/csv', 'application/x-ndjson'], (_request, payload, done) =>
    done(null, payload),
  );

  const document = new DocumentBuilder()
    .setTitle('Sluice')
    .setDescription('A shop that stays up when everyone shows up. Errors are problem details (RFC 9457).')
    .setVersion('1')
    .addBearerAuth()
    .addSecurityRequirements('bearer')
    .build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, document), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
  });
  fastify.get('/asyncapi.json', async () => asyncApi());
}
