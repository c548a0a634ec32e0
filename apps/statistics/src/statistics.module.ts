import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '#audit';
import { MessagingModule } from '#messaging';
import { serviceDatabase } from '#service-kit';
import { CountOrdersHandler } from './count/count-orders.handler.js';
import { OrderCounts } from './count/order-counts.js';
import { NaiveSalesController } from './naive/naive-sales.controller.js';
import { NaiveSales } from './naive/naive-sales.js';
import { SalesReport } from './report/sales-report.js';
import { statisticsAudit } from './statistics.audit.js';
import { statisticsDatabase } from './statistics.database.js';
import { StatisticsRequests } from './statistics.requests.js';

@Module({
  imports: [
    TypeOrmModule.forRootAsync(serviceDatabase(statisticsDatabase)),
    MessagingModule.forService({ service: 'statistics' }),
    AuditModule.forService('statistics', statisticsAudit),
  ],
  controllers: [StatisticsRequests, CountOrdersHandler, NaiveSalesController],
  providers: [OrderCounts, SalesReport, NaiveSales],
})
export class StatisticsModule {}
