import { CreateKeyedCalls1700000000100 } from '#idempotency';
import { messagingMigrations } from '#messaging';
import { CreateCampaigns1700000002000 } from './migrations/1700000002000-create-campaigns.js';
import { NaiveReservations1700000002002 } from './migrations/1700000002002-naive-reservations.js';
import { TimesInRange1700000002001 } from './migrations/1700000002001-times-in-range.js';

/** The tables of the service. Its queries are set-based or hot, so it has no entities. */
export const seckillDatabase = {
  entities: [],
  migrations: [
    ...messagingMigrations,
    CreateKeyedCalls1700000000100,
    CreateCampaigns1700000002000,
    TimesInRange1700000002001,
    NaiveReservations1700000002002,
  ],
};
