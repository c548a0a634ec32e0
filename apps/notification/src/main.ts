import { readConfig, runMessagingService } from '#service-kit';
import { PostgresTransport } from '#transport-postgres';
import { NotificationConfig } from './notification.config.js';
import { NotificationModule } from './notification.module.js';

const config = readConfig(NotificationConfig);

await runMessagingService({
  name: 'notification',
  module: NotificationModule,
  config,
  transport: new PostgresTransport({ url: config.SLUICE_TRANSPORT_URL, instance: config.SLUICE_INSTANCE }),
});
