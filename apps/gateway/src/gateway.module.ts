import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { MessagingModule } from '#messaging';
import { RequestClient } from '#requests';
import { SERVICE_CONFIG } from '#service-kit';
import { AdminController } from './admin/admin.controller.js';
import { AuditedServices } from './admin/audited-services.js';
import { CampaignsController } from './campaigns/campaigns.controller.js';
import { Clicks } from './campaigns/clicks.js';
import { HearOfStock, SoldOutCampaigns } from './campaigns/sold-out.js';
import type { GatewayConfig } from './gateway.config.js';
import { MeController } from './me/me.controller.js';
import { DeadLettersController } from './messaging/dead-letters.controller.js';
import { SubscriptionsController } from './messaging/subscriptions.controller.js';
import { OrdersController } from './orders/orders.controller.js';
import { PaymentCallbackController } from './orders/payment-callback.controller.js';
import { IndexController } from './pages/index.controller.js';
import { ProblemFilter } from './problems/problem.filter.js';
import { ProductsController } from './products/products.controller.js';
import { PublicationsController } from './publications/publications.controller.js';
import { AccessGuard } from './sessions/access.guard.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { Tokens } from './sessions/tokens.js';

@Module({
  imports: [MessagingModule.forService({ service: 'gateway', publishes: ['behaviour'] })],
  controllers: [
    IndexController,
    SessionsController,
    ProductsController,
    PublicationsController,
    CampaignsController,
    OrdersController,
    PaymentCallbackController,
    MeController,
    AdminController,
    SubscriptionsController,
    DeadLettersController,
    HearOfStock,
  ],
  providers: [
    {
      provide: RequestClient,
      inject: [SERVICE_CONFIG],
      useFactory: (config: GatewayConfig) => new RequestClient(config.SLUICE_INSTANCES),
    },
    AuditedServices,
    Tokens,
    Clicks,
    SoldOutCampaigns,
    { provide: APP_GUARD, useClass: AccessGuard },
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
})
export class GatewayModule {}
