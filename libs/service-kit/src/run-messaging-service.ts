import type { Type } from '@nestjs/common';
import { MESSAGE_TRANSPORT, MESSAGING_INSTANCE, MessagingServer, type Transport } from '#messaging';
import type { ServiceConfig } from './config/read-config.js';
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
    rpcPort: http === undefined ? config.RPC_PORT : undefined,
    globals: [
      { provide: MESSAGE_TRANSPORT, useValue: transport },
      { provide: MESSAGING_INSTANCE, useValue: config.SLUICE_INSTANCE },
    ],
    strategies: [MessagingServer],
    checks: { queue: () => transport.check() },
    http,
    closeLast: () => transport.close(),
  });
}
