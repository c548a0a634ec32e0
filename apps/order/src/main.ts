import { readConfig, runMessagingService } from '#service-kit';
import { PostgresTransport } from '#transport-postgres';
import { OrderConfig } from './order.config.js';
import { OrderModule } from './order.module.js';

const config = readConfig(OrderConfig);

await runMessagingService({
  name: 'order',
  module: OrderModule,
  config,
  transport: new PostgresTransport({ url: config.SLUICE_TRANSPORT_URL, instance: config.SLUICE_INSTANCE }),
});
