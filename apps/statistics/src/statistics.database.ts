import { messagingMigrations } from '#messaging';
import { CreateSales1700000008000 } from './migrations/1700000008000-create-sales.js';
import { WideSums1700000008001 } from './migrations/1700000008001-wide-sums.js';
import { NaiveSales1700000008002 } from './migrations/1700000008002-naive-sales.js';

/** The tables of the service. Its queries are set-based or hot, so it has no entities. */
export const statisticsDatabase = {
  entities: [],
  migrations: [
    ...messagingMigrations,
    CreateSales1700000008000,
    WideSums1700000008001,
    NaiveSales1700000008002,
  ],
};
