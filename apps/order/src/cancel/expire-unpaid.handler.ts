import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { PaymentDue } from '#contracts';
import { Handle } from '#messaging';
import { CancelOrderUseCase } from './cancel-order.js';

/** Cancels what was not paid in time. */
@Controller()
export class ExpireUnpaidHandler {
  constructor(private readonly cancelling: CancelOrderUseCase) {}

  @Handle(PaymentDue, { name: 'order.expire-unpaid', batch: 200 })
  async expire(events: readonly PaymentDue[], tx: EntityManager): Promise<void> {
    const orderIds = events.map(event => event.orderId);
    await this.cancelling.expire(tx, orderIds);
  }
}
