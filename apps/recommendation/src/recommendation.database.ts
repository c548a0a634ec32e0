import { messagingMigrations } from '#messaging';
import { HotItems1700000007003 } from './migrations/1700000007003-hot-items.js';
import { CreateProfiles1700000007000 } from './migrations/1700000007000-create-profiles.js';

/** The tables of the service. Its queries are set-based or hot, so it has no entities. */
export const recommendationDatabase = {
  entities: [],
  migrations: [...messagingMigrations, CreateProfiles1700000007000, HotItems1700000007003],
};
