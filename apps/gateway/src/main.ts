import { Registry } from 'prom-client';
import { Admission } from '#messaging';
import { readConfig, runMessagingService } from '#service-kit';
import { openTransport, TransportConfig } from '#transport-choice';
import { ReplyAddress } from './campaigns/reply-address.js';
import { countCalls } from './flow/count-calls.js';
import { GatewayConfig } from './gateway.config.js';
import { GatewayModule } from './gateway.module.js';
import { setUpHttp } from './set-up-http.js';

const config = readConfig(GatewayConfig.and(TransportConfig));

await runMessagingService({
  name: 'gateway',
  module: GatewayModule,
  config,
  transport: await openTransport(config),
  http: app => {
    app.get(ReplyAddress).learn(app);
    setUpHttp(app);
    countCalls(app.get(Registry), app.get(Admission));
  },
});
