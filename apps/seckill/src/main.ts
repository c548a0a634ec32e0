import { readConfig, runMessagingService } from '#service-kit';
import { openTransport, TransportConfig } from '#transport-choice';
import { SeckillConfig } from './seckill.config.js';
import { SeckillModule } from './seckill.module.js';

const config = readConfig(SeckillConfig.and(TransportConfig));

await runMessagingService({
  name: 'seckill',
  module: SeckillModule,
  config,
  transport: await openTransport(config),
});
