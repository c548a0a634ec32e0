import { Injectable } from '@nestjs/common';
import { uuidv7 } from '#messaging';
import { OrderDatabase } from '../order.database.js';
import { OrderNotFound, WrongOrderState } from '../order.errors.js';
import { Order } from '../order.entity.js';
import { Payment } from './payment.entity.js';
import { PaymentProvider } from './payment-provider.js';

const OPEN = `
INSERT INTO payment (id, order_id, amount_minor, currency, status) VALUES ($1, $2, $3, $4, 'pending')
ON CONFLICT (order_id) WHERE status = 'pending' DO NOTHING`;

/** Opens a checkout with the provider. While one is open, asking again gives that one. */
@Injectable()
export class StartPaymentUseCase {
  constructor(
    private readonly database: OrderDatabase,
    private readonly provider: PaymentProvider,
  ) {}

  /** @throws OrderNotFound, WrongOrderState, ProviderUnavailable */
  async start({ orderId, buyerId }: { orderId: string; buyerId: string }) {
    const manager = this.database.manager;
    const order = await manager.findOneBy(Order, { id: orderId, buyerId });
    if (order === null) throw new OrderNotFound(orderId);
    if (order.status !== 'awaiting_payment') {
      throw new WrongOrderState(orderId, 'paid', order.status, ['awaiting_payment']);
    }
    // The payment is known here before the provider hears of it: a callback always finds it.
    const { totalMinor, currency } = order.charged;
    await manager.query(OPEN, [uuidv7(), orderId, totalMinor, currency]);
    const payment = await manager.findOneBy(Payment, { orderId, status: 'pending' });
    if (payment === null) throw new WrongOrderState(orderId, 'paid', 'paid', ['awaiting_payment']);
    if (payment.checkoutUrl !== null) return { paymentId: payment.id, checkoutUrl: payment.checkoutUrl };
    const checkoutUrl = await this.provider.openCheckout(payment.id, payment.amountMinor, payment.currency);
    await manager.update(Payment, { id: payment.id }, { checkoutUrl });
    return { paymentId: payment.id, checkoutUrl };
  }
}
