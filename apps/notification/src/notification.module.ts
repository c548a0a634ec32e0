import { Module } from '@nestjs/common';
import { MessagingModule } from '#messaging';
import { DatabaseModule } from '#service-kit';
import { NotificationFacts } from './audit/notification-facts.js';
import { NotificationDatabase } from './notification.database.js';
import { NotifyBuyers } from './notify/notify.handler.js';
import { SmsGateway } from './notify/sms-gateway.js';

@Module({
  imports: [
    DatabaseModule.forService(NotificationDatabase),
    MessagingModule.forService({ service: 'notification', database: NotificationDatabase }),
  ],
  controllers: [NotifyBuyers, NotificationFacts],
  providers: [SmsGateway],
})
export class NotificationModule {}
