import { readConfig, runMessagingService } from '#service-kit';
import { openTransport, TransportConfig } from '#transport-choice';
import { OrderConfig } from './order.config.js';
import { OrderModule } from './order.module.js';

const config = readConfig(OrderConfig.and(TransportConfig));

await runMessagingService({
  name: 'order',
  module: OrderModule,
  config,
  transport: await openTransport(config),
});
