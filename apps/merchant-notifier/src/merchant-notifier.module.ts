import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '#audit';
import { MessagingModule } from '#messaging';
import { serviceDatabase } from '#service-kit';
import { DeliverWebhooksHandler } from './deliver/deliver-webhooks.handler.js';
import { DeliveryLog } from './deliver/delivery-log.js';
import { MerchantEndpoint } from './deliver/merchant-endpoint.js';
import { merchantNotifierAudit } from './merchant-notifier.audit.js';
import { merchantNotifierDatabase } from './merchant-notifier.database.js';

@Module({
  imports: [
    TypeOrmModule.forRootAsync(serviceDatabase(merchantNotifierDatabase)),
    MessagingModule.forService({ service: 'merchant-notifier' }),
    AuditModule.forService('merchant-notifier', merchantNotifierAudit),
  ],
  controllers: [DeliverWebhooksHandler],
  providers: [DeliveryLog, MerchantEndpoint],
})
export class MerchantNotifierModule {}
