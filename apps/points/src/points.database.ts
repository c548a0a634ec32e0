import { messagingMigrations } from '#messaging';
import { CreateLedger1700000004000 } from './migrations/1700000004000-create-ledger.js';

/** The tables of the service. Its queries are set-based or hot, so it has no entities. */
export const pointsDatabase = {
  entities: [],
  migrations: [...messagingMigrations, CreateLedger1700000004000],
};
