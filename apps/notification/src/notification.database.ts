import { DataSource } from 'typeorm';
import { messagingMigrations } from '#messaging';
import { type DatabaseConfig, databaseOptions } from '#service-kit';
import { CreateNotices1700000005000 } from './migrations/1700000005000-create-notices.js';

export const notificationMigrations = [...messagingMigrations, CreateNotices1700000005000];

export class NotificationDatabase extends DataSource {
  constructor(config: DatabaseConfig) {
    super({ ...databaseOptions(config), migrations: notificationMigrations });
  }
}
