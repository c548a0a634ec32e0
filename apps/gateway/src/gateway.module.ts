import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Admission, MessagingModule } from '#messaging';
import { RequestClient } from '#requests';
import { AdminController } from './admin/admin.controller.js';
import { CampaignsController } from './campaigns/campaigns.controller.js';
import { CampaignModes } from './campaigns/campaign-modes.js';
import { Clicks } from './campaigns/clicks.js';
import { FlashSaleClock } from './campaigns/flash-sale-clock.js';
import { HearStockHandler } from './campaigns/hear-stock.handler.js';
import { FiveSteps } from './campaigns/naive/five-steps.js';
import { NaiveBooksReader } from './campaigns/naive/naive-books.js';
import { QueuedClicks } from './campaigns/queued-clicks.js';
import { ReplyAddress } from './campaigns/reply-address.js';
import { SoldOutCampaigns } from './campaigns/sold-out.js';
import { CallRegister } from './idempotency/call-register.js';
import { IdempotencyInterceptor } from './idempotency/idempotency.interceptor.js';
import { TellDecisionsController } from './campaigns/tell-decisions.controller.js';
import { FlowController } from './flow/flow.controller.js';
import { GatewayAdmission } from './flow/gateway-admission.js';
import { HearBucketsHandler } from './flow/hear-buckets.handler.js';
import { MeController } from './me/me.controller.js';
import { DeadLettersController } from './messaging/dead-letters.controller.js';
import { SubscriptionsController } from './messaging/subscriptions.controller.js';
import { OrdersController } from './orders/orders.controller.js';
import { PaymentCallbackController } from './orders/payment-callback.controller.js';
import { IndexController } from './pages/index.controller.js';
import { PicturesController } from './pages/pictures.controller.js';
import { ProblemFilter } from './problems/problem.filter.js';
import { HearProductsHandler } from './products/hear-products.handler.js';
import { HotItems } from './products/hot-items.js';
import { HotItemsController } from './products/hot-items.controller.js';
import { ProductCache } from './products/product-cache.js';
import { ProductsController } from './products/products.controller.js';
import { ProgressController } from './publications/progress.controller.js';
import { PublicationsController } from './publications/publications.controller.js';
import { AllServices } from './services/all-services.js';
import { HearServicesHandler } from './services/hear-services.handler.js';
import { ServiceDirectory } from './services/service-directory.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { SignInBrake } from './sessions/sign-in-brake.js';
import { Tokens } from './sessions/tokens.js';

@Module({
  imports: [
    MessagingModule.forService({
      service: 'gateway',
      database: false,
      publishes: ['behaviour', 'seckill-request'],
    }),
  ],
  controllers: [
    IndexController,
    SessionsController,
    ProductsController,
    HotItemsController,
    PublicationsController,
    ProgressController,
    PicturesController,
    CampaignsController,
    OrdersController,
    PaymentCallbackController,
    MeController,
    AdminController,
    SubscriptionsController,
    DeadLettersController,
    FlowController,
    HearStockHandler,
    TellDecisionsController,
    HearProductsHandler,
    HearServicesHandler,
    HearBucketsHandler,
  ],
  providers: [
    {
      provide: RequestClient,
      inject: [ServiceDirectory],
      useFactory: (directory: ServiceDirectory) =>
        new RequestClient(service => directory.addressesOf(service)),
    },
    ServiceDirectory,
    AllServices,
    SignInBrake,
    Tokens,
    CallRegister,
    IdempotencyInterceptor,
    CampaignModes,
    Clicks,
    FlashSaleClock,
    FiveSteps,
    NaiveBooksReader,
    QueuedClicks,
    ReplyAddress,
    SoldOutCampaigns,
    HotItems,
    ProductCache,
    { provide: Admission, useClass: GatewayAdmission },
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
})
export class GatewayModule {}
