import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import {
  describeIssues,
  DomainError,
  type ReplyOf,
  Outbox,
  type RequestOf,
  Timers,
  uuidv7,
} from '#messaging';
import { Currency, Id, OrderPaid, PaymentDue, RefundRequested, type SettlePayment } from '#contracts';
import { Order } from '../order.entity.js';
import { Refund } from './refund.entity.js';
import { Payment } from './payment.entity.js';
import { PaymentProvider } from './payment-provider.js';

const Callback = z.object({
  paymentId: Id,
  outcome: z.enum(['paid', 'declined']),
  amountMinor: z.int(),
  currency: Currency,
});
type Callback = z.output<typeof Callback>;

export class InvalidCallback extends DomainError {
  readonly code = 'invalid_callback';
  constructor(reason: string) {
    super(`the callback is invalid: ${reason}`);
  }
}

export class PaymentNotFound extends DomainError {
  readonly code = 'payment_not_found';
  constructor(readonly paymentId: string) {
    super(`there is no payment ${paymentId}`);
  }
}

export class AmountMismatch extends DomainError {
  readonly code = 'amount_mismatch';
  constructor(
    readonly paymentId: string,
    readonly expected: string,
    readonly given: string,
  ) {
    super(`payment ${paymentId} is for ${expected}, but the callback says ${given}; nothing was settled`);
  }
}

type Outcome = ReplyOf<typeof SettlePayment>;

/**
 * Settles a payment from the provider's signed callback. A repeated or late callback has no second effect.
 * Money for an order that can no longer accept it is returned.
 */
@Injectable()
export class SettlePaymentUseCase {
  constructor(
    private readonly database: DataSource,
    private readonly provider: PaymentProvider,
    private readonly outbox: Outbox,
    private readonly timers: Timers,
  ) {}

  /** @throws InvalidSignature, InvalidCallback, PaymentNotFound, AmountMismatch */
  async settle({ timestamp, body, signature }: RequestOf<typeof SettlePayment>): Promise<Outcome> {
    this.provider.verify(timestamp, body, signature, Date.now());
    const callback = parseCallback(body);
    const payment = await this.database.manager.findOneBy(Payment, { id: callback.paymentId });
    if (payment === null) throw new PaymentNotFound(callback.paymentId);
    if (payment.amountMinor !== callback.amountMinor || payment.currency !== callback.currency) {
      throw new AmountMismatch(
        payment.id,
        `${payment.amountMinor} ${payment.currency}`,
        `${callback.amountMinor} ${callback.currency}`,
      );
    }
    return this.database.transaction(tx =>
      callback.outcome === 'declined' ? this.decline(tx, payment) : this.accept(tx, payment),
    );
  }

  private async decline(tx: EntityManager, { id }: Payment): Promise<Outcome> {
    const { affected } = await tx.update(
      Payment,
      { id, status: 'pending' },
      { status: 'declined', settledAt: new Date() },
    );
    return { outcome: affected === 0 ? 'repeated' : 'declined' };
  }

  private async accept(tx: EntityManager, { id, orderId, amountMinor, currency }: Payment): Promise<Outcome> {
    const paidAt = new Date();
    // Claim the order first: it is the row that cancellation and other payments race for.
    const { affected } = await tx.update(
      Order,
      { id: orderId, status: 'awaiting_payment' },
      { status: 'paid', paidAt },
    );
    const claimed = affected === 1;
    const [settled] = (await tx.query(
      `UPDATE payment SET status = $2, settled_at = $3 WHERE id = $1 AND status IN ('pending', 'declined') RETURNING id`,
      [id, claimed ? 'paid' : 'surplus', paidAt],
    )) as [unknown[]];
    if (settled.length === 0) {
      // The payment was settled before, so its order cannot have been open.
      if (claimed) throw new Error(`payment ${id} is settled but its order ${orderId} was not`);
      return { outcome: 'repeated' };
    }
    if (!claimed) {
      await this.giveBack(tx, { refundId: uuidv7(), orderId, paymentId: id, amountMinor, currency });
      return { outcome: 'refunding' };
    }
    const order = await tx.findOneByOrFail(Order, { id: orderId });
    await this.timers.cancel(tx, PaymentDue, [orderId]);
    await this.outbox.publish(tx, OrderPaid, {
      orderId,
      buyerId: order.buyerId,
      origin: order.originOfOrder,
      ...order.charged,
      paymentId: id,
      paidAt: paidAt.toISOString(),
    });
    return { outcome: 'settled' };
  }

  /** Returns money that the order cannot accept. No items come back for it. */
  private async giveBack(tx: EntityManager, due: RefundRequested): Promise<void> {
    const { refundId: id, ...refund } = due;
    await tx.insert(Refund, { id, ...refund, items: [], requestedAt: new Date() });
    await this.outbox.publish(tx, RefundRequested, due);
  }
}

function parseCallback(body: string): Callback {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new InvalidCallback('the body is not valid JSON');
  }
  const parsed = Callback.safeParse(json);
  if (!parsed.success) throw new InvalidCallback(describeIssues(parsed.error.issues));
  return parsed.data;
}
