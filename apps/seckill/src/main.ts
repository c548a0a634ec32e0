import { MESSAGE_TRANSPORT, MESSAGING_INSTANCE, MessagingServer } from '#messaging';
import { readConfig, runService } from '#service-kit';
import { PostgresTransport } from '#transport-postgres';
import { SeckillConfig } from './seckill.config.js';
import { SeckillModule } from './seckill.module.js';

const config = readConfig(SeckillConfig);
const transport = new PostgresTransport({
  url: config.SLUICE_TRANSPORT_URL,
  instance: config.SLUICE_INSTANCE,
});

await runService({
  name: 'seckill',
  module: SeckillModule,
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
