import { DataSource } from 'typeorm';
import { messagingMigrations } from '#messaging';
import { type DatabaseConfig, databaseOptions } from '#service-kit';
import { CreateDeliveries1700000006000 } from './migrations/1700000006000-create-deliveries.js';

export const merchantNotifierMigrations = [...messagingMigrations, CreateDeliveries1700000006000];

export class MerchantNotifierDatabase extends DataSource {
  constructor(config: DatabaseConfig) {
    super({ ...databaseOptions(config), migrations: merchantNotifierMigrations });
  }
}
