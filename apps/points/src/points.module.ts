import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '#audit';
import { MessagingModule } from '#messaging';
import { serviceDatabase } from '#service-kit';
import { AwardPointsHandler } from './ledger/award-points.handler.js';
import { PointsLedger } from './ledger/points-ledger.js';
import { pointsAudit } from './points.audit.js';
import { pointsDatabase } from './points.database.js';
import { PointsRequests } from './points.requests.js';

@Module({
  imports: [
    TypeOrmModule.forRootAsync(serviceDatabase(pointsDatabase)),
    MessagingModule.forService({ service: 'points', publishes: ['points'] }),
    AuditModule.forService('points', pointsAudit),
  ],
  controllers: [PointsRequests, AwardPointsHandler],
  providers: [PointsLedger],
})
export class PointsModule {}
