import { readConfig, runMessagingService } from '#service-kit';
import { openTransport, TransportConfig } from '#transport-choice';
import { RecommendationConfig } from './recommendation.config.js';
import { RecommendationModule } from './recommendation.module.js';

const config = readConfig(RecommendationConfig.and(TransportConfig));

await runMessagingService({
  name: 'recommendation',
  module: RecommendationModule,
  config,
  transport: await openTransport(config),
});
