import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '#audit';
import { IdempotencyModule } from '#idempotency';
import { MessagingModule } from '#messaging';
import { serviceDatabase } from '#service-kit';
import { CampaignStock } from './campaign-stock/campaign-stock.js';
import { MoveCampaignStockHandler } from './campaign-stock/move-campaign-stock.handler.js';
import { Campaigns } from './campaigns/campaigns.js';
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
    MessagingModule.forService({ service: 'seckill', publishes: ['seckill', 'seckill-campaign'] }),
    AuditModule.forService('seckill', seckillAudit),
    IdempotencyModule.forService('seckill'),
  ],
  controllers: [SeckillRequests, MoveCampaignStockHandler, DecideRequestedHandler, NaiveStockController],
  providers: [
    Campaigns,
    CampaignStock,
    BlockedBuyers,
    ReserveStockUseCase,
    ClickBatcher,
    DecisionReplies,
    NaiveStock,
  ],
})
export class SeckillModule {}
