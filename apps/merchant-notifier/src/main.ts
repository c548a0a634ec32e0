import { MESSAGE_TRANSPORT, MESSAGING_INSTANCE, MessagingServer } from '#messaging';
import { readConfig, runService } from '#service-kit';
import { PostgresTransport } from '#transport-postgres';
import { MerchantNotifierConfig } from './merchant-notifier.config.js';
import { MerchantNotifierModule } from './merchant-notifier.module.js';

const config = readConfig(MerchantNotifierConfig);
const transport = new PostgresTransport({
  url: config.SLUICE_TRANSPORT_URL,
  instance: config.SLUICE_INSTANCE,
});

await runService({
  name: 'merchant-notifier',
  module: MerchantNotifierModule,
  config,
  rpcPort: config.RPC_PORT,
  globals: [
    { provide: MESSAGE_TRANSPORT, useValue: transport },
    { provide: MESSAGING_INSTANCE, useValue: config.SLUICE_INSTANCE },
  ],
  strategies: [MessagingServer],
  checks: { queue: () => transport.check() },
  closeLast: () => transport.close(),
});
