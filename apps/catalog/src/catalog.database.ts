import { DataSource } from 'typeorm';
import { messagingMigrations } from '#messaging';
import { type DatabaseConfig, databaseOptions } from '#service-kit';
import { CreateCatalog1700000003000 } from './migrations/1700000003000-create-catalog.js';

export const catalogMigrations = [...messagingMigrations, CreateCatalog1700000003000];

export class CatalogDatabase extends DataSource {
  constructor(config: DatabaseConfig) {
    super({ ...databaseOptions(config), migrations: catalogMigrations });
  }
}
