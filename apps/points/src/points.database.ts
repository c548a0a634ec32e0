import { DataSource } from 'typeorm';
import { messagingMigrations } from '#messaging';
import { type DatabaseConfig, databaseOptions } from '#service-kit';
import { CreateLedger1700000004000 } from './migrations/1700000004000-create-ledger.js';

export const pointsMigrations = [...messagingMigrations, CreateLedger1700000004000];

export class PointsDatabase extends DataSource {
  constructor(config: DatabaseConfig) {
    super({ ...databaseOptions(config), migrations: pointsMigrations });
  }
}
