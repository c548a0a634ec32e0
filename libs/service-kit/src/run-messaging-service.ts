import { type AddressInfo, Server } from 'node:net';
import { hostname } from 'node:os';
import type { INestApplication, Type } from '@nestjs/common';
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
import { announce } from './announce.js';
import type { DatabaseConfig, ServiceConfig } from './config/read-config.js';
import { gaugeQueues } from './metrics/queue-gauges.js';
import { runService, type ServiceDefinition } from './run-service.js';

export interface MessagingServiceDefinition {
  readonly name: string;
  readonly module: Type;
  readonly config: ServiceConfig;
  /** The queue, picked by the app's `main.ts`. It is closed last. */
  readonly transport: Transport;
  /** Prepares the HTTP side before it listens; a service that has one is not announced to others. */
  readonly http?: ServiceDefinition['http'];
}

/**
 * Starts a service that communicates with others: by messages through the queue, and by requests over TCP.
 */
export async function runMessagingService({
  name,
  module,
  config,
  transport,
  http,
}: MessagingServiceDefinition): Promise<void> {
  let stopAnnouncing = () => Promise.resolve();
  const app = await runService({
    name,
    module,
    config,
    controllers: hasDatabase(config) ? [operationsOf(name)] : [],
    rpcPort: config.RPC_PORT,
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
    closeLast: async () => {
      await stopAnnouncing();
      await transport.close();
    },
  });
  const address = requestAddress(app, config.HOST);
  // One that is called over HTTP is asked nothing; it only gets replies.
  if (address !== undefined && http === undefined)
    stopAnnouncing = announce(app, transport, { service: name, instance: config.SLUICE_INSTANCE, address });
}

/** `host:port` at which others reach the app's requests; undefined while or if it answers none. */
export function requestAddress(app: INestApplication, host: string): string | undefined {
  const servers = app.getMicroservices().map(each => each.unwrap<unknown>());
  const listening = servers.find(server => server instanceof Server);
  if (listening === undefined) return undefined;
  const { port } = listening.address() as AddressInfo;
  // A container listens on every address, and is known to others by its name.
  return `${host === '0.0.0.0' || host === '::' ? hostname() : host}:${port}`;
}

function hasDatabase(config: ServiceConfig): config is DatabaseConfig {
  return 'DATABASE_URL' in config;
}

function alertsTo(config: ServiceConfig): AlertWebhookOptions | undefined {
  if (!hasDatabase(config) || config.ALERT_WEBHOOK_URL === undefined) return undefined;
  return { url: config.ALERT_WEBHOOK_URL, secret: config.ALERT_WEBHOOK_SECRET };
}
