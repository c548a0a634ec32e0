import { DatabaseConfig, readConfig, runMessagingService } from '#service-kit';
import { PostgresTransport } from '#transport-postgres';
import { StatisticsModule } from './statistics.module.js';

const config = readConfig(DatabaseConfig);

await runMessagingService({
  name: 'statistics',
  module: StatisticsModule,
  config,
  transport: new PostgresTransport({ url: config.SLUICE_TRANSPORT_URL, instance: config.SLUICE_INSTANCE }),
});
