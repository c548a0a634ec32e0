import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Outbox, type RequestOf } from '#messaging';
import { OrderRefunded, type RefundOrder, RefundRequested } from '#contracts';
import { OrderNotFound, WrongOrderState } from '../order.errors.js';
import { Order, type OrderStatus } from '../order.entity.js';
import { quantitiesBySku } from '../quantities.js';
import { Payment } from './payment.entity.js';
import { Refund } from './refund.entity.js';
import { RefundIdTaken, whatComesBack, WholeOrderOnly } from './what-comes-back.js';

const REFUNDABLE: readonly OrderStatus[] = ['paid', 'shipped', 'completed'];

/** Refunds a paid order, in full or in part. Stock and points follow by event, the money by the provider. */
@Injectable()
export class RefundOrderUseCase {
  constructor(
    private readonly database: DataSource,
    private readonly outbox: Outbox,
  ) {}

  /**
   * The caller chooses the refund's id, so that a retry after a lost answer refunds once.
   * @throws OrderNotFound, WrongOrderState, RefundIdTaken, MoreThanBought, WholeOrderOnly
   */
  async refund({ orderId, buyerId, refundId, items }: RequestOf<typeof RefundOrder>): Promise<void> {
    const refund = async (tx: EntityManager) => {
      const order = await tx.findOne(Order, {
        where: { id: orderId, buyerId },
        lock: { mode: 'pessimistic_write' },
      });
      if (order === null) throw new OrderNotFound(orderId);
      const before = await tx.findOneBy(Refund, { id: refundId });
      if (before !== null && !isRepeat(order, before, items)) throw new RefundIdTaken(refundId);
      if (before !== null) return;
      if (!REFUNDABLE.includes(order.status))
        throw new WrongOrderState(orderId, 'refunded', order.status, REFUNDABLE);
      await this.takeBack(tx, order, refundId, items);
    };
    await this.database.transaction(refund).catch((error: unknown) => {
      // Another order took the id at the same moment.
      if ((error as { constraint?: string }).constraint === 'refund_pk') throw new RefundIdTaken(refundId);
      throw error;
    });
  }

  private async takeBack(
    tx: EntityManager,
    order: Order,
    refundId: string,
    wanted: RequestOf<typeof RefundOrder>['items'],
  ): Promise<void> {
    const { items, amountMinor, lines, whole } = whatComesBack(order.charged.items, wanted);
    if (order.origin === 'seckill' && !whole) throw new WholeOrderOnly();
    const { id: orderId, buyerId, refundedMinor, charged } = order;
    const { currency } = charged;
    const refundedAt = new Date();
    const payment = await tx.findOneByOrFail(Payment, { orderId, status: 'paid' });
    await tx.update(
      Order,
      { id: orderId },
      {
        items: lines,
        refundedMinor: refundedMinor + amountMinor,
        ...(whole && { status: 'refunded', refundedAt }),
      },
    );
    await tx.insert(Refund, {
      id: refundId,
      orderId,
      paymentId: payment.id,
      items,
      amountMinor,
      currency,
      requestedAt: refundedAt,
    });
    await this.outbox.publish(tx, RefundRequested, {
      refundId,
      orderId,
      paymentId: payment.id,
      amountMinor,
      currency,
    });
    await this.outbox.publish(tx, OrderRefunded, {
      refundId,
      orderId,
      buyerId,
      origin: order.originOfOrder,
      items,
      totalMinor: amountMinor,
      currency,
      paidMinor: charged.totalMinor,
      refundedBeforeMinor: refundedMinor,
      refundedAt: refundedAt.toISOString(),
    });
  }
}

/** A repeat names what the first call named, or nothing if that took back all that was left. */
function isRepeat(
  order: Order,
  { orderId, items, requestedAt }: Refund,
  wanted: RequestOf<typeof RefundOrder>['items'],
): boolean {
  if (orderId !== order.id) return false;
  // A refund that left nothing ended the order at the same moment.
  if (wanted === undefined) return order.refundedAt?.getTime() === requestedAt.getTime();
  const [then, now] = [quantitiesBySku(items), quantitiesBySku(wanted)];
  return then.size === now.size && [...now].every(([sku, quantity]) => then.get(sku) === quantity);
}
