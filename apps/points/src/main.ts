import { DatabaseConfig, readConfig, runMessagingService } from '#service-kit';
import { PostgresTransport } from '#transport-postgres';
import { PointsModule } from './points.module.js';

const config = readConfig(DatabaseConfig);

await runMessagingService({
  name: 'points',
  module: PointsModule,
  config,
  transport: new PostgresTransport({ url: config.SLUICE_TRANSPORT_URL, instance: config.SLUICE_INSTANCE }),
});
