import { messagingMigrations } from '#messaging';
import { CreateNotices1700000005000 } from './migrations/1700000005000-create-notices.js';
import { NaiveTexts1700000005001 } from './migrations/1700000005001-naive-texts.js';

/** The tables of the service. Its queries are set-based or hot, so it has no entities. */
export const notificationDatabase = {
  entities: [],
  migrations: [...messagingMigrations, CreateNotices1700000005000, NaiveTexts1700000005001],
};
