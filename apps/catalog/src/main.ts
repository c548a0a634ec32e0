import { DatabaseConfig, readConfig, runMessagingService } from '#service-kit';
import { PostgresTransport } from '#transport-postgres';
import { CatalogModule } from './catalog.module.js';

const config = readConfig(DatabaseConfig);

await runMessagingService({
  name: 'catalog',
  module: CatalogModule,
  config,
  transport: new PostgresTransport({ url: config.SLUICE_TRANSPORT_URL, instance: config.SLUICE_INSTANCE }),
});
