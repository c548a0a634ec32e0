import { readConfig, runMessagingService } from '#service-kit';
import { openTransport, TransportConfig } from '#transport-choice';
import { NotificationConfig } from './notification.config.js';
import { NotificationModule } from './notification.module.js';

const config = readConfig(NotificationConfig.and(TransportConfig));

await runMessagingService({
  name: 'notification',
  module: NotificationModule,
  config,
  transport: await openTransport(config),
});
