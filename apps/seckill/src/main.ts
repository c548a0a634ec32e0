import { readConfig, runMessagingService } from '#service-kit';
import { PostgresTransport } from '#transport-postgres';
import { SeckillConfig } from './seckill.config.js';
import { SeckillModule } from './seckill.module.js';

const config = readConfig(SeckillConfig);

await runMessagingService({
  name: 'seckill',
  module: SeckillModule,
  config,
  transport: new PostgresTransport({ url: config.SLUICE_TRANSPORT_URL, instance: config.SLUICE_INSTANCE }),
});
