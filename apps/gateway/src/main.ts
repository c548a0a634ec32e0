import { readConfig, runMessagingService } from '#service-kit';
import { PostgresTransport } from '#transport-postgres';
import { GatewayConfig } from './gateway.config.js';
import { GatewayModule } from './gateway.module.js';
import { setUpHttp } from './set-up-http.js';

const config = readConfig(GatewayConfig);

await runMessagingService({
  name: 'gateway',
  module: GatewayModule,
  config,
  transport: new PostgresTransport({ url: config.SLUICE_TRANSPORT_URL, instance: config.SLUICE_INSTANCE }),
  http: setUpHttp,
});
