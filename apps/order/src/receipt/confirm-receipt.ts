import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { OrderCompleted } from '#contracts';
import { Outbox } from '#messaging';
import { Order } from '../order.entity.js';
import { OrderNotFound, WrongOrderState } from '../order.errors.js';

/** Completes an order that its buyer has received. */
@Injectable()
export class ConfirmReceiptUseCase {
  constructor(
    private readonly database: DataSource,
    private readonly outbox: Outbox,
  ) {}

  /** @throws OrderNotFound; WrongOrderState for an order that is not on its way */
  async confirm({ orderId, buyerId }: { orderId: string; buyerId: string }): Promise<void> {
    await this.database.transaction(async tx => {
      const { affected } = await tx.update(
        Order,
        { id: orderId, buyerId, status: 'shipped' },
        { status: 'completed', completedAt: new Date() },
      );
      const order = await tx.findOneBy(Order, { id: orderId, buyerId });
      if (order === null) throw new OrderNotFound(orderId);
      if (affected === 0) throw new WrongOrderState(orderId, 'completed', order.status, ['shipped']);
      await this.outbox.publish(tx, OrderCompleted, order.toCompletedEvent());
    });
  }
}
