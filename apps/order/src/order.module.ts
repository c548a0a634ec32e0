import { Module } from '@nestjs/common';
import { MessagingModule } from '#messaging';
import { DatabaseModule } from '#service-kit';
import { OrderFacts } from './audit/order-facts.js';
import { CancelOrderUseCase, ExpireUnpaidOrders } from './cancel/cancel-order.js';
import { FollowStock } from './follow-stock/follow-stock.handler.js';
import { OrderDatabase } from './order.database.js';
import { OrderRequests } from './order.requests.js';
import { PaymentProvider } from './payment/payment-provider.js';
import { SettlePaymentUseCase } from './payment/settle-payment.js';
import { StartPaymentUseCase } from './payment/start-payment.js';
import { PlaceOrderUseCase } from './place/place-order.js';
import { ReadOrders } from './read/read-orders.js';
import { RefundOrderUseCase, RefundPayments } from './payment/refund-order.js';
import { WriteReservedOrders } from './write-reserved/write-reserved.handler.js';

@Module({
  imports: [
    DatabaseModule.forService(OrderDatabase),
    MessagingModule.forService({
      service: 'order',
      database: OrderDatabase,
      publishes: ['order', 'order-refund', 'order-timer'],
    }),
  ],
  controllers: [
    OrderRequests,
    WriteReservedOrders,
    FollowStock,
    ExpireUnpaidOrders,
    RefundPayments,
    OrderFacts,
  ],
  providers: [
    PlaceOrderUseCase,
    ReadOrders,
    PaymentProvider,
    StartPaymentUseCase,
    SettlePaymentUseCase,
    CancelOrderUseCase,
    RefundOrderUseCase,
  ],
})
export class OrderModule {}
