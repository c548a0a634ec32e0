import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { PricedItem } from '#contracts';

/** Money to return, for returned items. It has no items if the order could not accept the payment. */
@Entity('refund')
export class Refund {
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid', { name: 'order_id' }) orderId!: string;
  @Column('uuid', { name: 'payment_id' }) paymentId!: string;
  @Column('jsonb') items!: PricedItem[];
  @Column('bigint', { name: 'amount_minor', transformer: { from: Number, to: (value: number) => value } })
  amountMinor!: number;
  @Column('text') currency!: string;
  @Column('timestamptz', { name: 'requested_at' }) requestedAt!: Date;
  @Column('timestamptz', { name: 'given_back_at', nullable: true }) givenBackAt!: Date | null;
}
