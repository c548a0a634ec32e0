import { DatabaseConfig, readConfig, runMessagingService } from '#service-kit';
import { openTransport, TransportConfig } from '#transport-choice';
import { StatisticsModule } from './statistics.module.js';

const config = readConfig(DatabaseConfig.and(TransportConfig));

await runMessagingService({
  name: 'statistics',
  module: StatisticsModule,
  config,
  transport: await openTransport(config),
});
