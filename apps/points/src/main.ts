import { DatabaseConfig, readConfig, runMessagingService } from '#service-kit';
import { openTransport, TransportConfig } from '#transport-choice';
import { PointsModule } from './points.module.js';

const config = readConfig(DatabaseConfig.and(TransportConfig));

await runMessagingService({
  name: 'points',
  module: PointsModule,
  config,
  transport: await openTransport(config),
});
