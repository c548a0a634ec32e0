import { messagingMigrations } from '#messaging';
import { CreateDeliveries1700000006000 } from './migrations/1700000006000-create-deliveries.js';

/** The tables of the service. Its queries are set-based or hot, so it has no entities. */
export const merchantNotifierDatabase = {
  entities: [],
  migrations: [...messagingMigrations, CreateDeliveries1700000006000],
};
