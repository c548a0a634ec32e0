import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '#audit';
import { MessagingModule } from '#messaging';
import { serviceDatabase } from '#service-kit';
import { notificationAudit } from './notification.audit.js';
import { notificationDatabase } from './notification.database.js';
import { NotificationRequests } from './notification.requests.js';
import { NaiveTextsController } from './naive/naive-texts.controller.js';
import { NaiveTexts } from './naive/naive-texts.js';
import { NotifyBuyerHandler } from './notify/notify-buyer.handler.js';
import { SentNotices } from './notify/sent-notices.js';
import { SmsGateway } from './notify/sms-gateway.js';

@Module({
  imports: [
    TypeOrmModule.forRootAsync(serviceDatabase(notificationDatabase)),
    MessagingModule.forService({ service: 'notification' }),
    AuditModule.forService('notification', notificationAudit),
  ],
  controllers: [NotificationRequests, NotifyBuyerHandler, NaiveTextsController],
  providers: [SentNotices, SmsGateway, NaiveTexts],
})
export class NotificationModule {}
