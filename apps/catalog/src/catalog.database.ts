import { CreateKeyedCalls1700000000100 } from '#idempotency';
import { messagingMigrations } from '#messaging';
import { CreateCatalog1700000003000 } from './migrations/1700000003000-create-catalog.js';
import { OrderPublications1700000003001 } from './migrations/1700000003001-order-publications.js';
import { ProductNews1700000003003 } from './migrations/1700000003003-product-news.js';
import { PublicationSteps1700000003031 } from './migrations/1700000003031-publication-steps.js';

/** The tables of the service. Its queries are set-based or hot, so it has no entities. */
export const catalogDatabase = {
  entities: [],
  migrations: [
    ...messagingMigrations,
    CreateKeyedCalls1700000000100,
    CreateCatalog1700000003000,
    OrderPublications1700000003001,
    ProductNews1700000003003,
    PublicationSteps1700000003031,
  ],
};
