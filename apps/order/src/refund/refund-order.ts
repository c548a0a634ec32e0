import { Controller, Injectable } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';
import { Handle, Outbox } from '#messaging';
import { OrderRefunded, RefundRequested } from '#contracts';
import { OrderDatabase } from '../order.database.js';
import { OrderNotFound, WrongOrderState } from '../order.errors.js';
import { Order, type OrderStatus } from '../order.entity.js';
import { Payment } from '../pay/payment.entity.js';
import { PaymentProvider } from '../pay/payment-provider.js';

const REFUNDABLE: readonly OrderStatus[] = ['paid', 'shipped', 'completed'];

/** Takes a paid order back: stock and points follow by event, the money by the provider. */
@Injectable()
export class RefundOrderUseCase {
  constructor(
    private readonly database: OrderDatabase,
    private readonly outbox: Outbox,
  ) {}

  /** @throws OrderNotFound, WrongOrderState */
  async refund({ orderId, buyerId }: { orderId: string; buyerId: string }): Promise<Order> {
    return this.database.transaction(async tx => {
      const refundedAt = new Date();
      const { affected } = await tx.update(
        Order,
        { id: orderId, buyerId, status: In(REFUNDABLE) },
        { status: 'refunded', refundedAt },
      );
      const order = await tx.findOneBy(Order, { id: orderId, buyerId });
      if (order === null) throw new OrderNotFound(orderId);
      if (affected === 0) throw new WrongOrderState(orderId, 'refunded', order.status, REFUNDABLE);
      const payment = await tx.findOneByOrFail(Payment, { orderId, status: 'paid' });
      await tx.update(Payment, { id: payment.id }, { status: 'refund_due' });
      const { amountMinor, currency } = payment;
      await this.outbox.publish(tx, RefundRequested, {
        orderId,
        paymentId: payment.id,
        amountMinor,
        currency,
      });
      await this.outbox.publish(tx, OrderRefunded, {
        orderId,
        buyerId,
        origin: order.originOfOrder,
        ...order.charged,
        refundedAt: refundedAt.toISOString(),
      });
      return order;
    });
  }
}

/** Sends the money back. The provider takes each payment's refund once, however often it is asked. */
@Controller()
export class RefundPayments {
  constructor(private readonly provider: PaymentProvider) {}

  @Handle(RefundRequested, { name: 'order.refund-payment' })
  async refund({ paymentId, amountMinor, currency }: RefundRequested, tx: EntityManager): Promise<void> {
    await this.provider.refund(paymentId, amountMinor, currency);
    await tx.update(
      Payment,
      { id: paymentId, status: 'refund_due' },
      { status: 'refunded', refundedAt: new Date() },
    );
  }
}
