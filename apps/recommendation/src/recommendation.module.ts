import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '#audit';
import { MessagingModule } from '#messaging';
import { serviceDatabase } from '#service-kit';
import { CountInterestHandler } from './hot-items/count-interest.handler.js';
import { HotItems } from './hot-items/hot-items.js';
import { Interest } from './hot-items/interest.js';
import { BuyerProfiles } from './profile/buyer-profiles.js';
import { LearnProfileHandler } from './profile/learn-profile.handler.js';
import { Recommender } from './recommend/recommender.js';
import { recommendationAudit } from './recommendation.audit.js';
import { recommendationDatabase } from './recommendation.database.js';
import { RecommendationRequests } from './recommendation.requests.js';

@Module({
  imports: [
    TypeOrmModule.forRootAsync(serviceDatabase(recommendationDatabase)),
    MessagingModule.forService({ service: 'recommendation', publishes: ['hot-items'] }),
    AuditModule.forService('recommendation', recommendationAudit),
  ],
  controllers: [RecommendationRequests, LearnProfileHandler, CountInterestHandler],
  providers: [BuyerProfiles, HotItems, Interest, Recommender],
})
export class RecommendationModule {}
