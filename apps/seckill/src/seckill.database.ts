import { DataSource } from 'typeorm';
import { messagingMigrations } from '#messaging';
import { type DatabaseConfig, databaseOptions } from '#service-kit';
import { CreateCampaigns1700000002000 } from './migrations/1700000002000-create-campaigns.js';

export const seckillMigrations = [...messagingMigrations, CreateCampaigns1700000002000];

export class SeckillDatabase extends DataSource {
  constructor(config: DatabaseConfig) {
    super({ ...databaseOptions(config), migrations: seckillMigrations });
  }
}
