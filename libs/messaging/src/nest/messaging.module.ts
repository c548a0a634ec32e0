import { type DynamicModule, type InjectionToken, Module, type ModuleMetadata } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { AlertWebhookOptions } from '../operations/alert-webhook.js';
import type { Transport } from '../transport/transport.js';
import { databaseProviders, exportedWithDatabase } from './database-providers.js';
import { ConnectedServer } from './connected-server.js';
import { MessagingClient } from './messaging-client.js';
import { MessagingServer } from './messaging-server.js';
import {
  DEFAULT_PARTITIONS,
  MESSAGE_TRANSPORT,
  MESSAGING_ALERTS,
  MESSAGING_INSTANCE,
  MESSAGING_OPTIONS,
  type MessagingOptions,
} from './options.js';

export interface ForServiceOptions {
  /** The service's name, the source of what it publishes. */
  readonly service: string;
  /**
   * The token of its DataSource; that of `TypeOrmModule.forRoot` if left out. `false` for a service without a
   * database: it can publish without a transaction and receive broadcasts.
   */
  readonly database?: InjectionToken<DataSource> | false;
  /** Topics it publishes to. */
  readonly publishes?: readonly string[];
  /** Partitions of a topic that it creates; 4 if left out. */
  readonly partitions?: number;
}

export interface ForRootOptions {
  /** The service's name, the source of what it publishes. */
  readonly service: string;
  /** The queue. It is closed with the app. */
  readonly transport: Transport;
  /** A name that no other running instance of the service has. */
  readonly instance: string;
  /** Topics it publishes to. */
  readonly publishes?: readonly string[];
  /** Partitions of a topic that it creates; 4 if left out. */
  readonly partitions?: number;
  /** Where alerts go besides the log. */
  readonly alerts?: AlertWebhookOptions;
}

/** What must be known before the app's providers are created. */
export interface StaticOptions {
  /** As in ForServiceOptions. */
  readonly database?: InjectionToken<DataSource> | false;
}

export interface ForRootAsyncOptions extends StaticOptions, Pick<ModuleMetadata, 'imports'> {
  readonly inject?: readonly InjectionToken[];
  readonly useFactory: (...dependencies: never[]) => ForRootOptions | Promise<ForRootOptions>;
}

const ROOT_OPTIONS = Symbol('sluice.root-options');

/** Transactional outbox, inbox, timers, dead letters and broadcast for a Nest app. */
@Module({})
export class MessagingModule {
  /**
   * Everything that an app needs: the library's tables are created in its database, and the queue delivers to
   * its `@Handle` methods once it has started.
   */
  static forRoot({ database, ...options }: ForRootOptions & StaticOptions): DynamicModule {
    return MessagingModule.forRootAsync({ database, useFactory: () => options });
  }

  /** The same with options that come from other providers. */
  static forRootAsync({
    database = DataSource,
    imports = [],
    inject = [],
    useFactory,
  }: ForRootAsyncOptions): DynamicModule {
    const from = <T>(pick: (options: ForRootOptions) => T) => ({ inject: [ROOT_OPTIONS], useFactory: pick });
    return assemble(database, {
      imports,
      providers: [
        { provide: ROOT_OPTIONS, inject: [...inject], useFactory },
        { provide: MESSAGE_TRANSPORT, ...from(({ transport }) => transport) },
        { provide: MESSAGING_INSTANCE, ...from(({ instance }) => instance) },
        { provide: MESSAGING_ALERTS, ...from(({ alerts }) => alerts) },
        { provide: MESSAGING_OPTIONS, ...from(optionsOf) },
        ConnectedServer,
      ],
      migrates: true,
    });
  }

  /**
   * For a service whose `main.ts` provides the queue as two global tokens, MESSAGE_TRANSPORT and MESSAGING_INSTANCE,
   * connects MessagingServer as a microservice, and has `messagingMigrations` among its database's migrations.
   */
  static forService({ database = DataSource, ...options }: ForServiceOptions): DynamicModule {
    return assemble(database, {
      providers: [{ provide: MESSAGING_OPTIONS, useValue: optionsOf(options) }],
      migrates: false,
    });
  }
}

function optionsOf({
  service,
  publishes = [],
  partitions = DEFAULT_PARTITIONS,
}: Pick<ForRootOptions, 'service' | 'publishes' | 'partitions'>): MessagingOptions {
  return { service, topics: publishes, partitions };
}

function assemble(
  database: InjectionToken<DataSource> | false,
  { providers = [], imports = [], migrates }: ModuleMetadata & { migrates: boolean },
): DynamicModule {
  const withDatabase = database !== false;
  return {
    module: MessagingModule,
    global: true,
    imports,
    providers: [
      ...providers,
      MessagingServer,
      MessagingClient,
      ...(withDatabase ? databaseProviders(database, migrates) : []),
    ],
    exports: [MessagingServer, MessagingClient, ...(withDatabase ? exportedWithDatabase : [])],
  };
}
