import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('payment')
export class Payment {
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid', { name: 'order_id' }) orderId!: string;
  @Column('bigint', { name: 'amount_minor', transformer: { from: Number, to: (value: number) => value } })
  amountMinor!: number;
  @Column('text') currency!: string;
  @Column('text') status!: 'pending' | 'paid' | 'declined' | 'surplus';
  @Column('text', { name: 'checkout_url', nullable: true }) checkoutUrl!: string | null;
  @Column('timestamptz', { name: 'settled_at', nullable: true }) settledAt!: Date | null;
}
