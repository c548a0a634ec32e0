import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ORDER_STATUSES, OrderCancelled, OrderCompleted, OrderOrigin, OrderView } from '#contracts';
import type { Refund } from './payment/refund.entity.js';
import type { RefundableItem } from './payment/what-comes-back.js';

export type OrderStatus = (typeof ORDER_STATUSES)[number];

export interface StoredItem {
  readonly sku: string;
  readonly quantity: number;
  /** Null until the catalog has reported the price. */
  readonly unitPriceMinor: number | null;
  /** The quantity already refunded. */
  readonly refunded?: number;
}

/** PostgreSQL returns bigint as text. A double holds money exactly up to ninety trillion. */
const asNumber = {
  from: (value: string | null) => (value === null ? null : Number(value)),
  to: (value: number | null) => value,
};

@Entity('orders')
export class Order {
  @PrimaryColumn('uuid') id!: string;
  @Column('text', { name: 'buyer_id' }) buyerId!: string;
  @Column('text') origin!: 'ordinary' | 'seckill';
  @Column('uuid', { name: 'campaign_id', nullable: true }) campaignId!: string | null;
  @Column('uuid', { name: 'reservation_id', nullable: true }) reservationId!: string | null;
  @Column('text') status!: OrderStatus;
  @Column('jsonb') items!: StoredItem[];
  @Column('bigint', { name: 'total_minor', nullable: true, transformer: asNumber }) totalMinor!:
    number | null;
  @Column('bigint', { name: 'refunded_minor', transformer: asNumber }) refundedMinor!: number;
  @Column('text', { nullable: true }) currency!: string | null;
  @Column('text', { nullable: true }) reason!: string | null;
  @Column('timestamptz', { name: 'placed_at' }) placedAt!: Date;
  @Column('timestamptz', { name: 'pay_by', nullable: true }) payBy!: Date | null;
  @Column('timestamptz', { name: 'priced_at', nullable: true }) pricedAt!: Date | null;
  @Column('timestamptz', { name: 'paid_at', nullable: true }) paidAt!: Date | null;
  @Column('timestamptz', { name: 'cancelled_at', nullable: true }) cancelledAt!: Date | null;
  @Column('timestamptz', { name: 'completed_at', nullable: true }) completedAt!: Date | null;
  @Column('timestamptz', { name: 'refunded_at', nullable: true }) refundedAt!: Date | null;

  get originOfOrder(): OrderOrigin {
    return this.origin === 'ordinary'
      ? { kind: 'ordinary' }
      : { kind: 'seckill', campaignId: this.campaignId!, reservationId: this.reservationId! };
  }

  /** What a paid order was charged for. It always has a price by then; a check of the table enforces it. */
  get charged(): { items: RefundableItem[]; totalMinor: number; currency: string } {
    return { items: this.items as RefundableItem[], totalMinor: this.totalMinor!, currency: this.currency! };
  }

  toCancelledEvent(): OrderCancelled {
    return {
      orderId: this.id,
      buyerId: this.buyerId,
      origin: this.originOfOrder,
      items: this.items.map(({ sku, quantity }) => ({ sku, quantity })),
      reason: this.reason as OrderCancelled['reason'],
      cancelledAt: this.cancelledAt!.toISOString(),
    };
  }

  toCompletedEvent(): OrderCompleted {
    return { orderId: this.id, buyerId: this.buyerId, completedAt: this.completedAt!.toISOString() };
  }

  toView(refunds: readonly Refund[]): OrderView {
    const { id, buyerId, status, items, totalMinor, refundedMinor, currency, reason } = this;
    const steps: [Date | null, string][] = [
      [this.placedAt, 'placed'],
      [this.pricedAt, 'stock reserved'],
      [this.paidAt, 'paid'],
      [this.cancelledAt, `cancelled: ${reason}`],
      ...refunds.map(({ requestedAt, items }): [Date, string] => [
        requestedAt,
        items.length === 0
          ? 'paid too late: the money goes back'
          : `taken back: ${items.map(({ quantity, sku }) => `${quantity} × ${sku}`).join(', ')}`,
      ]),
      [this.completedAt, 'receipt confirmed'],
      [this.refundedAt, 'refunded'],
    ];
    return {
      orderId: id,
      buyerId,
      origin: this.originOfOrder,
      status,
      items: items.map(item => ({ ...item, refunded: item.refunded ?? 0 })),
      totalMinor,
      refundedMinor,
      currency,
      reason,
      placedAt: this.placedAt.toISOString(),
      payBy: this.payBy?.toISOString() ?? null,
      timeline: steps.flatMap(([at, what]) => (at === null ? [] : [{ at: at.toISOString(), what }])),
    };
  }
}
