import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { PricedItem } from '#contracts';

/** Money that goes back, for things that come back; for nothing when an order could not take a payment. */
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
