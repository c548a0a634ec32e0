import { DataSource } from 'typeorm';
import { messagingMigrations } from '#messaging';
import { type DatabaseConfig, databaseOptions } from '#service-kit';
import { CreateProfiles1700000007000 } from './migrations/1700000007000-create-profiles.js';

export const recommendationMigrations = [...messagingMigrations, CreateProfiles1700000007000];

export class RecommendationDatabase extends DataSource {
  constructor(config: DatabaseConfig) {
    super({ ...databaseOptions(config), migrations: recommendationMigrations });
  }
}
