import { Module } from '@nestjs/common';
import { MessagingModule } from '#messaging';
import { DatabaseModule } from '#service-kit';
import { PointsFacts } from './audit/points-facts.js';
import { PointsDatabase } from './points.database.js';
import { PointsLedger } from './ledger/points-ledger.js';
import { PointsOnOrder } from './ledger/points-on-order.handler.js';

@Module({
  imports: [
    DatabaseModule.forService(PointsDatabase),
    MessagingModule.forService({ service: 'points', database: PointsDatabase, publishes: ['points'] }),
  ],
  controllers: [PointsOnOrder, PointsFacts],
  providers: [PointsLedger],
})
export class PointsModule {}
