import { DatabaseConfig, readConfig, runMessagingService } from '#service-kit';
import { PostgresTransport } from '#transport-postgres';
import { RecommendationModule } from './recommendation.module.js';

const config = readConfig(DatabaseConfig);

await runMessagingService({
  name: 'recommendation',
  module: RecommendationModule,
  config,
  transport: new PostgresTransport({ url: config.SLUICE_TRANSPORT_URL, instance: config.SLUICE_INSTANCE }),
});
