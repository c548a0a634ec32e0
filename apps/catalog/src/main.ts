import { DatabaseConfig, readConfig, runMessagingService } from '#service-kit';
import { openTransport, TransportConfig } from '#transport-choice';
import { CatalogModule } from './catalog.module.js';

const config = readConfig(DatabaseConfig.and(TransportConfig));

await runMessagingService({
  name: 'catalog',
  module: CatalogModule,
  config,
  transport: await openTransport(config),
});
