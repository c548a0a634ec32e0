import { type DynamicModule, Inject, Module, type OnApplicationShutdown, type Type } from '@nestjs/common';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { HealthChecks } from '../health/health-checks.js';
import { SERVICE_CONFIG } from '../tokens.js';
import { migrate } from './migrate.js';

const DATABASE = Symbol('sluice.database');

/** The part of a service's configuration that its database needs. */
export interface DatabaseSettings {
  readonly SLUICE_INSTANCE: string;
  readonly DATABASE_URL: string;
  readonly DATABASE_POOL: number;
}

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
    extra: { idleTimeoutMillis: 30_000, keepAlive: true },
  };
}

/** Opens and migrates the service's own database before anything uses it, and closes it last. */
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  static forService(database: Type<DataSource>): DynamicModule {
    const opened = {
      provide: database,
      inject: [SERVICE_CONFIG, HealthChecks],
      useFactory: async (config: DatabaseSettings, health: HealthChecks) => {
        const source = new database(config);
        await source.initialize();
        await migrate(source);
        health.add('database', async () => void (await source.query('SELECT 1')));
        return source;
      },
    };
    return {
      module: DatabaseModule,
      global: true,
      providers: [opened, { provide: DATABASE, useExisting: database }],
      exports: [database],
    };
  }

  constructor(@Inject(DATABASE) private readonly database: DataSource) {}

  async onApplicationShutdown(): Promise<void> {
    await this.database.destroy();
  }
}
