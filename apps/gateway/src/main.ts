import { MESSAGE_TRANSPORT, MESSAGING_INSTANCE, MessagingServer, RequestClient } from '#messaging';
import { readConfig, runService } from '#service-kit';
import { PostgresTransport } from '#transport-postgres';
import { GatewayConfig } from './gateway.config.js';
import { GatewayModule } from './gateway.module.js';
import { setUpHttp } from './set-up-http.js';

const config = readConfig(GatewayConfig);
const transport = new PostgresTransport({
  url: config.SLUICE_TRANSPORT_URL,
  instance: config.SLUICE_INSTANCE,
});
const requests = new RequestClient(config.SLUICE_INSTANCES);

await runService({
  name: 'gateway',
  module: GatewayModule,
  config,
  globals: [
    { provide: MESSAGE_TRANSPORT, useValue: transport },
    { provide: MESSAGING_INSTANCE, useValue: config.SLUICE_INSTANCE },
    { provide: RequestClient, useValue: requests },
  ],
  strategies: [MessagingServer],
  checks: { queue: () => transport.check() },
  http: setUpHttp,
  closeLast: async () => {
    requests.close();
    await transport.close();
  },
});
