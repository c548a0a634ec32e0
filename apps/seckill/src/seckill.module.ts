import { Module } from '@nestjs/common';
import { MessagingModule } from '#messaging';
import { DatabaseModule } from '#service-kit';
import { SeckillFacts } from './audit/seckill-facts.js';
import { Campaigns } from './campaigns/campaigns.js';
import { FollowOrder } from './follow-order/follow-order.handler.js';
import { ClickBatcher } from './reserve/click-batcher.js';
import { ReserveStockUseCase } from './reserve/reserve-stock.js';
import { SeckillDatabase } from './seckill.database.js';
import { SeckillRequests } from './seckill.requests.js';

@Module({
  imports: [
    DatabaseModule.forService(SeckillDatabase),
    MessagingModule.forService({
      service: 'seckill',
      database: SeckillDatabase,
      publishes: ['seckill', 'seckill-campaign'],
    }),
  ],
  controllers: [SeckillRequests, FollowOrder, SeckillFacts],
  providers: [Campaigns, ReserveStockUseCase, ClickBatcher],
})
export class SeckillModule {}
