import type { InjectionToken, Provider } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { DataSource } from 'typeorm';
import { ReceiptPurge } from '../consumer/receipt-purge.js';
import { migrateMessaging } from '../migration/migrate-messaging.js';
import { AlertWatch, alertPolicyOf } from '../operations/alert-watch.js';
import { AlertWebhook, type AlertWebhookOptions } from '../operations/alert-webhook.js';
import { DeadLetters } from '../operations/dead-letters.js';
import { MessagingMonitor } from '../operations/messaging-monitor.js';
import { DEFAULT_PUBLISH_EVENTS, Outbox, type OutboxLimits } from '../publisher/outbox.js';
import { Relay } from '../publisher/relay.js';
import { TimerLoop } from '../publisher/timer-loop.js';
import { Timers } from '../publisher/timers.js';
import { guardConnections } from '../runtime/guard-connections.js';
import { Heartbeat } from '../runtime/heartbeat.js';
import { WorkSignals } from '../runtime/work-signals.js';
import type { Transport } from '../transport/transport.js';
import { DeliveryErrorFilter } from './delivery-error.filter.js';
import { MessagingServer } from './messaging-server.js';
import {
  MESSAGE_TRANSPORT,
  MESSAGING_ALERTS,
  MESSAGING_DATABASE,
  MESSAGING_INSTANCE,
  MESSAGING_OPTIONS,
  type MessagingOptions,
} from './options.js';

/** What other modules can inject if there is a database. */
export const exportedWithDatabase = [Outbox, Timers, MessagingMonitor, DeadLetters, AlertWatch];

/** Everything that works on the service's database. */
export function databaseProviders(database: InjectionToken<DataSource>, migrates: boolean): Provider[] {
  return [
    {
      provide: MESSAGING_DATABASE,
      inject: [database],
      useFactory: async (source: DataSource) => {
        if (migrates) await migrateMessaging(source);
        guardConnections(source);
        return source;
      },
    },
    { provide: APP_FILTER, useClass: DeliveryErrorFilter },
    {
      provide: Outbox,
      inject: [MESSAGE_TRANSPORT, MESSAGING_OPTIONS],
      useFactory: (transport: Transport, options: MessagingOptions) =>
        new Outbox(limitsOf(transport, options)),
    },
    {
      provide: Timers,
      inject: [MESSAGE_TRANSPORT, MESSAGING_OPTIONS],
      useFactory: (transport: Transport, options: MessagingOptions) =>
        new Timers(limitsOf(transport, options)),
    },
    {
      provide: Relay,
      inject: [MESSAGING_DATABASE, MESSAGE_TRANSPORT, MESSAGING_OPTIONS, MESSAGING_INSTANCE],
      useFactory: (
        source: DataSource,
        transport: Transport,
        { service }: MessagingOptions,
        instance: string,
      ) => new Relay(source, transport, service, instance),
    },
    {
      provide: TimerLoop,
      inject: [MESSAGING_DATABASE, Relay],
      useFactory: (source: DataSource, relay: Relay) => {
        const signals = WorkSignals.of(source);
        const timers = new TimerLoop(source, () => signals.left('outbox'));
        signals.on('outbox', () => relay.wake());
        signals.on('timers', () => timers.wake());
        // Whoever holds the lease sends what this instance has published.
        signals.shareWhile('outbox', () => !relay.lease.isHeld);
        return timers;
      },
    },
    {
      provide: MessagingMonitor,
      inject: [MESSAGE_TRANSPORT, MESSAGING_DATABASE, MessagingServer, MESSAGING_OPTIONS],
      useFactory: (
        transport: Transport,
        source: DataSource,
        server: MessagingServer,
        { service }: MessagingOptions,
      ) => new MessagingMonitor(transport, source, () => server.subscriptions, service),
    },
    {
      provide: DeadLetters,
      inject: [MESSAGING_DATABASE],
      useFactory: (source: DataSource) => new DeadLetters(source),
    },
    {
      provide: AlertWatch,
      inject: [
        MESSAGING_DATABASE,
        MESSAGING_OPTIONS,
        MESSAGING_INSTANCE,
        MessagingMonitor,
        MessagingServer,
        { token: MESSAGING_ALERTS, optional: true },
      ],
      useFactory: (
        source: DataSource,
        { service }: MessagingOptions,
        instance: string,
        monitor: MessagingMonitor,
        server: MessagingServer,
        webhook?: AlertWebhookOptions,
      ) => {
        const policyOf = (name: string) =>
          alertPolicyOf(server.subscriptions.find(each => each.name === name));
        const to = webhook && new AlertWebhook(webhook);
        const watch = new AlertWatch(source, service, instance, () => monitor.watched(), policyOf, to);
        server.accompany(watch);
        return watch;
      },
    },
    {
      provide: Heartbeat,
      inject: [MESSAGING_DATABASE, MESSAGING_INSTANCE, Relay, AlertWatch, MessagingServer],
      useFactory: (
        source: DataSource,
        instance: string,
        relay: Relay,
        watch: AlertWatch,
        server: MessagingServer,
      ) => {
        const names = () => server.subscriptions.map(({ name }) => name);
        const heartbeat = new Heartbeat(source, instance, [relay, watch], names);
        server.accompany(heartbeat);
        return heartbeat;
      },
    },
    {
      provide: ReceiptPurge,
      inject: [MESSAGING_DATABASE, MESSAGE_TRANSPORT, MessagingServer],
      useFactory: (source: DataSource, transport: Transport, server: MessagingServer) => {
        const purge = new ReceiptPurge(source, transport, () => server.subscriptions);
        server.accompany(purge);
        return purge;
      },
    },
  ];
}

function limitsOf(transport: Transport, { topics }: MessagingOptions): OutboxLimits {
  return {
    topics,
    maxEvents: DEFAULT_PUBLISH_EVENTS,
    maxMessageBytes: transport.capabilities.maxMessageBytes,
  };
}
