import 'reflect-metadata';
import { ConsoleLogger, type LogLevel, type Provider, type Type } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import type { CustomTransportStrategy, MicroserviceOptions } from '@nestjs/microservices';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Registry } from 'prom-client';
import { DataSource } from 'typeorm';
import { requestServer } from '#requests';
import { mapStacks } from '#server-process';
import type { HttpConfig } from './config/read-config.js';
import { HealthChecks } from './health/health-checks.js';
import { HealthController } from './health/health.controller.js';
import { httpAdapter } from './http/http-adapter.js';
import { HttpProblemFilter } from './http/http-problem.filter.js';
import { secureHttp } from './http/secure-http.js';
import { createRegistry } from './metrics/registry.js';
import { drainOnSignal } from './shutdown/drain.js';
import { handOverHttp } from './shutdown/hand-over-http.js';
import { SERVICE_CONFIG } from './tokens.js';

export interface ServiceDefinition {
  readonly name: string;
  readonly module: Type;
  /** Controllers in addition to those of the module. */
  readonly controllers?: readonly Type[];
  readonly config: HttpConfig;
  /** The port for requests over TCP; 0 for a free one. Left out if the service answers none. */
  readonly rpcPort?: number;
  /** Providers for every module of the app. */
  readonly globals: readonly Provider[];
  /** Servers in addition to HTTP, by their token. */
  readonly strategies: readonly Type<CustomTransportStrategy>[];
  /** What must answer for the service to be ready. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
  /** Prepares the HTTP side before it listens. */
  readonly http?: (app: NestFastifyApplication) => void | Promise<void>;
  /** Whether clients other than its operators call it over HTTP. Then it stops without losing a call. */
  readonly isCalled?: boolean;
  /** Closed after everything else. */
  readonly closeLast?: () => Promise<void>;
}

mapStacks();

class ServiceRoot {}

const LEVELS: readonly LogLevel[] = ['fatal', 'error', 'warn', 'log', 'debug'];

/**
 * Starts a service: logs as JSON lines, health and metrics over HTTP, requests over TCP, its own servers.
 * Ends it in order on SIGTERM, SIGINT or when the launcher that started it is gone. Notifies the launcher
 * when it is ready.
 */
export async function runService(definition: ServiceDefinition): Promise<NestFastifyApplication> {
  const { name, module, config, globals } = definition;
  const health = new HealthChecks();
  for (const [check, run] of Object.entries(definition.checks)) health.add(check, run);
  const logLevels = LEVELS.slice(0, LEVELS.indexOf(config.LOG_LEVEL) + 1);
  const logger = new ConsoleLogger(name, { json: true, colors: false, logLevels });

  const shared: Provider[] = [
    { provide: SERVICE_CONFIG, useValue: config },
    { provide: HealthChecks, useValue: health },
    { provide: Registry, useFactory: () => createRegistry(name, config.SLUICE_INSTANCE) },
    ...globals,
  ];
  const app = await NestFactory.create<NestFastifyApplication>(
    {
      module: ServiceRoot,
      global: true,
      imports: [module],
      controllers: [HealthController, ...(definition.controllers ?? [])],
      // Before those of the module: what Nest finds later has the first say.
      providers: [...shared, { provide: APP_FILTER, useClass: HttpProblemFilter }],
      exports: shared.map(provider => (provider as { provide: symbol }).provide),
    },
    httpAdapter(),
    { logger, abortOnError: false, rawBody: true, bodyParser: false },
  );
  secureHttp(app, config);
  if ('DATABASE_URL' in config) {
    const database = app.get(DataSource, { strict: false });
    health.add('database', async () => void (await database.query('SELECT 1')));
  }
  await definition.http?.(app);
  const handOver = definition.isCalled ? handOverHttp(app, config.DRAIN_MS / 4) : () => Promise.resolve();
  const inherit = { inheritAppConfig: true };
  const { HOST: host } = config;
  if (definition.rpcPort !== undefined) {
    app.connectMicroservice<MicroserviceOptions>(requestServer({ host, port: definition.rpcPort }), inherit);
  }
  for (const strategy of definition.strategies)
    app.connectMicroservice({ strategy: app.get(strategy) }, inherit);

  drainOnSignal(config.DRAIN_MS, logger, async () => {
    await handOver();
    await app.close();
    await definition.closeLast?.();
  });
  // Start HTTP first: while an unavailable queue is waited for, the health check says so.
  await app.listen(config.HTTP_PORT, host);
  await app.startAllMicroservices();
  logger.log(`ready at ${await app.getUrl()}`);
  process.send?.({ kind: 'ready' });
  return app;
}
