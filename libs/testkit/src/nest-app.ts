import type { Type } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { MESSAGE_TRANSPORT, MESSAGING_INSTANCE, MessagingServer, type Transport } from '#messaging';
import { requestServer } from '#requests';
import { httpAdapter, HttpProblemFilter, SERVICE_CONFIG, secureHttp } from '#service-kit';

export interface NestAppOptions {
  /** The app's module, as its `main.ts` starts it. */
  readonly module: Type;
  readonly config: unknown;
  readonly transport: Transport;
  /** A name that no other instance has. */
  readonly instance: string;
  /** Controllers besides those of the module. */
  readonly controllers?: readonly Type[];
  /** Prepares its HTTP side, as its `main.ts` does. */
  readonly http?: ((app: NestFastifyApplication) => void) | undefined;
  /** Whether it handles messages; a service that only answers requests does not. */
  readonly hasMessages: boolean;
}

/** An app as it runs in the shop, not yet started, and its server of requests. */
export async function createNestApp({
  module,
  config,
  transport,
  instance,
  controllers = [],
  http,
  hasMessages,
}: NestAppOptions) {
  const globals = [
    { provide: SERVICE_CONFIG, useValue: config },
    { provide: MESSAGE_TRANSPORT, useValue: transport },
    { provide: MESSAGING_INSTANCE, useValue: instance },
  ];
  class Root {}
  const root = {
    module: Root,
    global: true,
    imports: [module],
    controllers: [...controllers],
    providers: [...globals, { provide: APP_FILTER, useClass: HttpProblemFilter }],
    exports: globals.map(each => each.provide),
  };
  const compiled = await Test.createTestingModule({ imports: [root] }).compile();
  const app = compiled.createNestApplication<NestFastifyApplication>(httpAdapter(), {
    rawBody: true,
    bodyParser: false,
  });
  secureHttp(app, { HTTP_HOSTS: [] });
  http?.(app);
  const inherit = { inheritAppConfig: true };
  const requests = app.connectMicroservice<MicroserviceOptions>(
    requestServer({ host: '127.0.0.1', port: 0 }),
    inherit,
  );
  if (hasMessages) app.connectMicroservice({ strategy: app.get(MessagingServer) }, inherit);
  return { app, requests };
}
