import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { uuidv7 } from '#messaging';
import { OrderNotFound, WrongOrderState } from '../order.errors.js';
import { Order } from '../order.entity.js';
import { Payment } from './payment.entity.js';
import { PaymentProvider } from './payment-provider.js';

// Opens one or finds the open one in one statement: between two, a callback could settle it.
const OPEN = `
INSERT INTO payment (id, order_id, amount_minor, currency, status) VALUES ($1, $2, $3, $4, 'pending')
ON CONFLICT (order_id) WHERE status = 'pending' DO UPDATE SET order_id = excluded.order_id
RETURNING id, checkout_url AS "checkoutUrl", amount_minor::float8 AS "amountMinor", currency`;

interface OpenPayment {
  readonly id: string;
  readonly checkoutUrl: string | null;
  readonly amountMinor: number;
  readonly currency: string;
}

/** Opens a checkout with the provider. While one is open, a repeated call returns that one. */
@Injectable()
export class StartPaymentUseCase {
  constructor(
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    @InjectRepository(Payment) private readonly payments: Repository<Payment>,
    private readonly provider: PaymentProvider,
  ) {}

  /** @throws OrderNotFound, WrongOrderState, ProviderUnavailable */
  async start({ orderId, buyerId }: { orderId: string; buyerId: string }) {
    const order = await this.orders.findOneBy({ id: orderId, buyerId });
    if (order === null) throw new OrderNotFound(orderId);
    if (order.status !== 'awaiting_payment') {
      throw new WrongOrderState(orderId, 'paid', order.status, ['awaiting_payment']);
    }
    // The payment is stored before the provider learns of it, so that a callback always finds it.
    const { totalMinor, currency } = order.charged;
    const values = [uuidv7(), orderId, totalMinor, currency];
    const [payment] = (await this.payments.query(OPEN, values)) as [OpenPayment];
    if (payment.checkoutUrl !== null) return { paymentId: payment.id, checkoutUrl: payment.checkoutUrl };
    const checkoutUrl = await this.provider.openCheckout(payment.id, payment.amountMinor, payment.currency);
    await this.payments.update({ id: payment.id }, { checkoutUrl });
    return { paymentId: payment.id, checkoutUrl };
  }
}
