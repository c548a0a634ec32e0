import { Controller } from '@nestjs/common';
import { type EntityManager, IsNull } from 'typeorm';
import { RefundRequested } from '#contracts';
import { Handle } from '#messaging';
import { PaymentProvider } from './payment-provider.js';
import { Refund } from './refund.entity.js';

/** Sends the money back. The provider executes each refund once, however often it is asked. */
@Controller()
export class RefundPaymentHandler {
  constructor(private readonly provider: PaymentProvider) {}

  @Handle(RefundRequested, { name: 'order.refund-payment' })
  async refund(event: RefundRequested, tx: EntityManager): Promise<void> {
    await this.provider.refund(event);
    await tx.update(Refund, { id: event.refundId, givenBackAt: IsNull() }, { givenBackAt: new Date() });
  }
}
