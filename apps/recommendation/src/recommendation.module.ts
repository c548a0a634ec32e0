import { Module } from '@nestjs/common';
import { MessagingModule } from '#messaging';
import { DatabaseModule } from '#service-kit';
import { RecommendationFacts } from './audit/recommendation-facts.js';
import { RecommendationDatabase } from './recommendation.database.js';
import { ProfileBuyers } from './profile/profile.handler.js';
import { Recommend } from './recommend/recommend.js';

@Module({
  imports: [
    DatabaseModule.forService(RecommendationDatabase),
    MessagingModule.forService({ service: 'recommendation', database: RecommendationDatabase }),
  ],
  controllers: [ProfileBuyers, Recommend, RecommendationFacts],
})
export class RecommendationModule {}
