import { readConfig, runMessagingService } from '#service-kit';
import { PostgresTransport } from '#transport-postgres';
import { MerchantNotifierConfig } from './merchant-notifier.config.js';
import { MerchantNotifierModule } from './merchant-notifier.module.js';

const config = readConfig(MerchantNotifierConfig);

await runMessagingService({
  name: 'merchant-notifier',
  module: MerchantNotifierModule,
  config,
  transport: new PostgresTransport({ url: config.SLUICE_TRANSPORT_URL, instance: config.SLUICE_INSTANCE }),
});
