import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '#audit';
import { IdempotencyModule } from '#idempotency';
import { MessagingModule } from '#messaging';
import { serviceDatabase } from '#service-kit';
import { CancelOrderUseCase } from './cancel/cancel-order.js';
import { ExpireUnpaidHandler } from './cancel/expire-unpaid.handler.js';
import { orderAudit } from './order.audit.js';
import { orderDatabase } from './order.database.js';
import { OrderRequests } from './order.requests.js';
import { PaymentProvider } from './payment/payment-provider.js';
import { RefundOrderUseCase } from './payment/refund-order.js';
import { RefundPaymentHandler } from './payment/refund-payment.handler.js';
import { SettlePaymentUseCase } from './payment/settle-payment.js';
import { StartPaymentUseCase } from './payment/start-payment.js';
import { PlaceOrderUseCase } from './place/place-order.js';
import { OrderPrices } from './price/order-prices.js';
import { PriceOrderHandler } from './price/price-order.handler.js';
import { NaiveOrdersController } from './naive/naive-orders.controller.js';
import { NaiveOrders } from './naive/naive-orders.js';
import { ReadOrders } from './read/read-orders.js';
import { ConfirmReceiptUseCase } from './receipt/confirm-receipt.js';
import { ReservedOrders } from './write-reserved/reserved-orders.js';
import { WriteReservedOrdersHandler } from './write-reserved/write-reserved-orders.handler.js';

@Module({
  imports: [
    TypeOrmModule.forRootAsync(serviceDatabase(orderDatabase)),
    TypeOrmModule.forFeature(orderDatabase.entities),
    MessagingModule.forService({ service: 'order', publishes: ['order', 'order-refund', 'order-timer'] }),
    AuditModule.forService('order', orderAudit),
    IdempotencyModule.forService('order'),
  ],
  controllers: [
    OrderRequests,
    NaiveOrdersController,
    WriteReservedOrdersHandler,
    PriceOrderHandler,
    ExpireUnpaidHandler,
    RefundPaymentHandler,
  ],
  providers: [
    NaiveOrders,
    PlaceOrderUseCase,
    ReadOrders,
    ReservedOrders,
    OrderPrices,
    PaymentProvider,
    StartPaymentUseCase,
    SettlePaymentUseCase,
    CancelOrderUseCase,
    RefundOrderUseCase,
    ConfirmReceiptUseCase,
  ],
})
export class OrderModule {}
