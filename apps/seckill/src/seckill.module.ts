import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditModule } from '#audit';
import { BucketChanged } from '#contracts';
import { IdempotencyModule } from '#idempotency';
import { MessagingModule, Outbox, TokenBuckets } from '#messaging';
import { serviceDatabase } from '#service-kit';
import { CampaignStock } from './campaign-stock/campaign-stock.js';
import { MoveCampaignStockHandler } from './campaign-stock/move-campaign-stock.handler.js';
import { Campaigns } from './campaigns/campaigns.js';
import { CampaignBuckets } from './flow/campaign-buckets.js';
import { FlowRequests } from './flow/flow.requests.js';
import { BlockedBuyers } from './reserve/blocked-buyers.js';
import { NaiveStockController } from './naive/naive-stock.controller.js';
import { NaiveStock } from './naive/naive-stock.js';
import { ClickBatcher } from './reserve/click-batcher.js';
import { DecideRequestedHandler } from './reserve/decide-requested.handler.js';
import { DecisionReplies } from './reserve/decision-replies.js';
import { ReserveStockUseCase } from './reserve/reserve-stock.js';
import { seckillAudit } from './seckill.audit.js';
import { seckillDatabase } from './seckill.database.js';
import { SeckillRequests } from './seckill.requests.js';

@Module({
  imports: [
    TypeOrmModule.forRootAsync(serviceDatabase(seckillDatabase)),
    MessagingModule.forService({
      service: 'seckill',
      publishes: ['seckill', 'seckill-campaign', 'seckill-flow'],
    }),
    AuditModule.forService('seckill', seckillAudit),
    IdempotencyModule.forService('seckill'),
  ],
  controllers: [
    SeckillRequests,
    FlowRequests,
    MoveCampaignStockHandler,
    DecideRequestedHandler,
    NaiveStockController,
  ],
  providers: [
    Campaigns,
    CampaignStock,
    BlockedBuyers,
    ReserveStockUseCase,
    ClickBatcher,
    DecisionReplies,
    NaiveStock,
    CampaignBuckets,
    {
      provide: TokenBuckets,
      inject: [DataSource, Outbox],
      useFactory: (database: DataSource, outbox: Outbox) =>
        new TokenBuckets(database, (tx: EntityManager, news) => outbox.publish(tx, BucketChanged, news)),
    },
  ],
})
export class SeckillModule {}
