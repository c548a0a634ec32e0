import { readConfig, runMessagingService } from '#service-kit';
import { openTransport, TransportConfig } from '#transport-choice';
import { MerchantNotifierConfig } from './merchant-notifier.config.js';
import { MerchantNotifierModule } from './merchant-notifier.module.js';

const config = readConfig(MerchantNotifierConfig.and(TransportConfig));

await runMessagingService({
  name: 'merchant-notifier',
  module: MerchantNotifierModule,
  config,
  transport: await openTransport(config),
});
