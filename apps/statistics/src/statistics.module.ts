import { Module } from '@nestjs/common';
import { MessagingModule } from '#messaging';
import { DatabaseModule } from '#service-kit';
import { StatisticsFacts } from './audit/statistics-facts.js';
import { StatisticsDatabase } from './statistics.database.js';
import { CountOrders } from './count/count-orders.handler.js';
import { Report } from './report/report.js';

@Module({
  imports: [
    DatabaseModule.forService(StatisticsDatabase),
    MessagingModule.forService({ service: 'statistics', database: StatisticsDatabase }),
  ],
  controllers: [CountOrders, Report, StatisticsFacts],
})
export class StatisticsModule {}
