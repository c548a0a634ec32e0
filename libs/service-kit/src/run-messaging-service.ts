import type { Type } from '@nestjs/common';
import { Registry } from 'prom-client';
import {
  type AlertWebhookOptions,
  MESSAGE_TRANSPORT,
  MESSAGING_ALERTS,
  MESSAGING_INSTANCE,
  MessagingMonitor,
  MessagingServer,
  type Transport,
} from '#messaging';
import { operationsOf } from '#requests';
import type { DatabaseConfig, ServiceConfig } from './config/read-config.js';
import { gaugeQueues } from './metrics/queue-gauges.js';
import { runService, type ServiceDefinition } from './run-service.js';

export interface MessagingServiceDefinition {
  readonly name: string;
  readonly module: Type;
  readonly config: ServiceConfig;
  /** The queue, picked by the app's `main.ts`. It is closed last. */
  readonly transport: Transport;
  /** Prepares the HTTP side before it listens; a service that has one answers no requests over TCP. */
  readonly http?: ServiceDefinition['http'];
}

/** Starts a service that meets others: by messages through the queue, and by requests over TCP. */
export async function runMessagingService({
  name,
  module,
  config,
  transport,
  http,
}: MessagingServiceDefinition): Promise<void> {
  await runService({
    name,
    module,
    config,
    controllers: hasDatabase(config) ? [operationsOf(name)] : [],
    rpcPort: http === undefined ? config.RPC_PORT : undefined,
    globals: [
      { provide: MESSAGE_TRANSPORT, useValue: transport },
      { provide: MESSAGING_INSTANCE, useValue: config.SLUICE_INSTANCE },
      { provide: MESSAGING_ALERTS, useValue: alertsTo(config) },
    ],
    strategies: [MessagingServer],
    checks: { queue: () => transport.check() },
    http: async app => {
      if (hasDatabase(config)) gaugeQueues(app.get(Registry), app.get(MessagingMonitor));
      await http?.(app);
    },
    isCalled: http !== undefined,
    closeLast: () => transport.close(),
  });
}

function hasDatabase(config: ServiceConfig): config is DatabaseConfig {
  return 'DATABASE_URL' in config;
}

function alertsTo(config: ServiceConfig): AlertWebhookOptions | undefined {
  if (!hasDatabase(config) || config.ALERT_WEBHOOK_URL === undefined) return undefined;
  return { url: config.ALERT_WEBHOOK_URL, secret: config.ALERT_WEBHOOK_SECRET };
}
