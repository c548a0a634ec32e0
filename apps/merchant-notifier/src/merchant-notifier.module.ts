import { Module } from '@nestjs/common';
import { MessagingModule } from '#messaging';
import { DatabaseModule } from '#service-kit';
import { MerchantNotifierFacts } from './audit/merchant-notifier-facts.js';
import { MerchantNotifierDatabase } from './merchant-notifier.database.js';
import { DeliverWebhooks } from './deliver/deliver.handler.js';
import { MerchantEndpoint } from './deliver/merchant-endpoint.js';

@Module({
  imports: [
    DatabaseModule.forService(MerchantNotifierDatabase),
    MessagingModule.forService({ service: 'merchant-notifier', database: MerchantNotifierDatabase }),
  ],
  controllers: [DeliverWebhooks, MerchantNotifierFacts],
  providers: [MerchantEndpoint],
})
export class MerchantNotifierModule {}
