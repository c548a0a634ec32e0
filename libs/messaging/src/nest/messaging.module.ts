import { type DynamicModule, Module, type Provider, type Type } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import type { DataSource } from 'typeorm';
import { DEFAULT_ALERTS } from '../control/alert-policy.js';
import { AlertWatch, type AlertWatchLimits } from '../control/alert-watch.js';
import { AlertWebhook, type AlertWebhookOptions } from '../control/alert-webhook.js';
import { controlOf } from '../control/control.controller.js';
import { MessagingMonitor } from '../control/messaging-monitor.js';
import { DeadLetters } from '../dead-letter/dead-letters.js';
import { ReceiptPurge } from '../inbox/receipt-purge.js';
import { Outbox, type OutboxLimits } from '../outbox/outbox.js';
import { wakeOnCommit } from '../outbox/wake-on-commit.js';
import { Relay } from '../relay/relay.js';
import { TimerLoop } from '../timer/timer-loop.js';
import { Timers } from '../timer/timers.js';
import type { Transport } from '../transport/transport.js';
import { MessagingClient } from './messaging-client.js';
import { MessagingServer } from './messaging-server.js';
import {
  MESSAGE_TRANSPORT,
  MESSAGING_ALERTS,
  MESSAGING_DATABASE,
  MESSAGING_INSTANCE,
  MESSAGING_LIMITS,
  MESSAGING_OPTIONS,
  type MessagingOptions,
} from './options.js';
import { RequestTrace } from './request-trace.js';
import { MessagingErrorFilter } from './rpc-errors.js';

export interface ForServiceOptions {
  /** The service's name, the source of what it publishes. */
  readonly service: string;
  /** The token of its DataSource. A service without one can publish without a transaction and hear broadcasts. */
  readonly database?: Type<DataSource>;
  /** Topics it publishes to. */
  readonly publishes?: readonly string[];
  /** Partitions of a topic it makes; 4 if left out. */
  readonly partitions?: number;
}

/**
 * A service's messaging. The app's `main.ts` provides two global tokens: MESSAGE_TRANSPORT, the transport, and
 * MESSAGING_INSTANCE, a name no other running instance has; and connects MessagingServer as a microservice.
 */
@Module({})
export class MessagingModule {
  static forService({ service, database, publishes = [], partitions = 4 }: ForServiceOptions): DynamicModule {
    const options: MessagingOptions = { service, topics: publishes, partitions };
    const providers: Provider[] = [
      { provide: MESSAGING_OPTIONS, useValue: options },
      MessagingServer,
      MessagingClient,
    ];
    const exports: Provider[] = [MessagingServer, MessagingClient];
    if (database !== undefined) {
      providers.push(...withDatabase(service, database));
      exports.push(Outbox, Timers, MessagingMonitor);
    }
    return {
      module: MessagingModule,
      global: true,
      controllers: database === undefined ? [] : [controlOf(service)],
      providers,
      exports: exports as DynamicModule['exports'] & object,
    };
  }
}

function withDatabase(service: string, database: Type<DataSource>): Provider[] {
  return [
    { provide: MESSAGING_DATABASE, useExisting: database },
    { provide: APP_FILTER, useClass: MessagingErrorFilter },
    { provide: APP_INTERCEPTOR, useClass: RequestTrace },
    {
      provide: Outbox,
      inject: [MESSAGE_TRANSPORT],
      useFactory: (transport: Transport) => new Outbox(limitsOf(transport)),
    },
    {
      provide: Timers,
      inject: [MESSAGE_TRANSPORT],
      useFactory: (transport: Transport) => new Timers(limitsOf(transport)),
    },
    {
      provide: Relay,
      inject: [MESSAGING_DATABASE, MESSAGE_TRANSPORT, MESSAGING_INSTANCE],
      useFactory: (source: DataSource, transport: Transport, instance: string) => {
        const relay = new Relay(source, transport, service, instance, {
          batch: MESSAGING_LIMITS.relayBatch,
          batchBytes: MESSAGING_LIMITS.relayBatchBytes,
          leaseMs: MESSAGING_LIMITS.relayLeaseMs,
          pollMs: MESSAGING_LIMITS.relayPollMs,
          maxBackoffMs: MESSAGING_LIMITS.relayMaxBackoffMs,
        });
        return relay;
      },
    },
    {
      provide: TimerLoop,
      inject: [MESSAGING_DATABASE, Relay],
      useFactory: (source: DataSource, relay: Relay) => {
        const { timerBatch: batch, timerPollMs: pollMs } = MESSAGING_LIMITS;
        const timers = new TimerLoop(source, () => relay.wake(), { batch, pollMs });
        wakeOnCommit(source, relay, timers);
        return timers;
      },
    },
    MessagingMonitor,
    {
      provide: AlertWatch,
      inject: [
        MESSAGING_DATABASE,
        MESSAGING_INSTANCE,
        MessagingMonitor,
        MessagingServer,
        { token: MESSAGING_ALERTS, optional: true },
      ],
      useFactory: (
        source: DataSource,
        instance: string,
        monitor: MessagingMonitor,
        server: MessagingServer,
        webhook?: AlertWebhookOptions,
      ) => {
        const policyOf = (name: string) => ({
          ...DEFAULT_ALERTS,
          ...server.subscriptions.find(each => each.name === name)?.alert,
        });
        const watch = new AlertWatch(
          source,
          service,
          instance,
          () => monitor.watched(),
          policyOf,
          webhook && new AlertWebhook(webhook),
          ALERT_LIMITS,
        );
        server.accompany(watch);
        return watch;
      },
    },
    DeadLetters,
    ReceiptPurge,
  ];
}

const ALERT_LIMITS: AlertWatchLimits = {
  parked: MESSAGING_LIMITS.parkedAlert,
  waitingMs: MESSAGING_LIMITS.waitingAlertMs,
  outbox: MESSAGING_LIMITS.outboxAlert,
  pollMs: MESSAGING_LIMITS.alertPollMs,
  leaseMs: MESSAGING_LIMITS.relayLeaseMs,
  notices: MESSAGING_LIMITS.alertNotices,
  noticesKept: MESSAGING_LIMITS.alertNoticesKept,
  keepDays: MESSAGING_LIMITS.alertDays,
};

function limitsOf(transport: Transport): OutboxLimits {
  return {
    maxEvents: MESSAGING_LIMITS.publishEvents,
    maxMessageBytes: transport.capabilities.maxMessageBytes,
  };
}
