import { DataSource } from 'typeorm';
import { messagingMigrations } from '#messaging';
import { type DatabaseConfig, databaseOptions } from '#service-kit';
import { CreateSales1700000008000 } from './migrations/1700000008000-create-sales.js';

export const statisticsMigrations = [...messagingMigrations, CreateSales1700000008000];

export class StatisticsDatabase extends DataSource {
  constructor(config: DatabaseConfig) {
    super({ ...databaseOptions(config), migrations: statisticsMigrations });
  }
}
