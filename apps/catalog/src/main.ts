import { readConfig, runMessagingService } from '#service-kit';
import { openTransport, TransportConfig } from '#transport-choice';
import { CatalogConfig } from './catalog.config.js';
import { CatalogModule } from './catalog.module.js';

const config = readConfig(CatalogConfig.and(TransportConfig));

await runMessagingService({
  name: 'catalog',
  module: CatalogModule,
  config,
  transport: await openTransport(config),
});
