import type { TypeOrmModuleAsyncOptions } from '@nestjs/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { SERVICE_CONFIG } from '../tokens.js';
import { migrate } from './migrate.js';

/** The part of a service's configuration that its database needs. */
export interface DatabaseSettings {
  readonly SLUICE_INSTANCE: string;
  readonly DATABASE_URL: string;
  readonly DATABASE_POOL: number;
}

/** A service's entities, and the migrations that create their tables. */
export type DatabaseContent = Pick<DataSourceOptions, 'entities' | 'migrations'>;

/** What every service's DataSource has in common. */
export function databaseOptions(config: DatabaseSettings): DataSourceOptions & { type: 'postgres' } {
  return {
    type: 'postgres',
    url: config.DATABASE_URL,
    poolSize: config.DATABASE_POOL,
    applicationName: config.SLUICE_INSTANCE,
    connectTimeoutMS: 10_000,
    synchronize: false,
    migrationsTableName: 'migration',
    extra: { idleTimeoutMillis: 120_000, keepAlive: true },
  };
}

/**
 * For `TypeOrmModule.forRootAsync`: opens the service's own database by its configuration, and applies its
 * migrations before anything uses it. Instances that start together take turns.
 */
export function serviceDatabase(content: DatabaseContent): TypeOrmModuleAsyncOptions {
  return {
    inject: [SERVICE_CONFIG],
    useFactory: (config: DatabaseSettings) => ({
      ...databaseOptions(config),
      ...content,
      // The launcher restarts a service whose database is unavailable; waiting here would only hide the
      // outage.
      retryAttempts: 0,
    }),
    dataSourceFactory: async options => {
      const database = new DataSource(options!);
      await database.initialize();
      await migrate(database);
      return database;
    },
  };
}
