import { DatabaseConfig, readConfig, runMessagingService } from '#service-kit';
import { openTransport, TransportConfig } from '#transport-choice';
import { RecommendationModule } from './recommendation.module.js';

const config = readConfig(DatabaseConfig.and(TransportConfig));

await runMessagingService({
  name: 'recommendation',
  module: RecommendationModule,
  config,
  transport: await openTransport(config),
});
