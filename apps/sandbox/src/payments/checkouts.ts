import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import { DataSource } from 'typeorm';

export type Outcome = 'paid' | 'declined';

export interface NewCheckout {
  readonly paymentId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly callbackUrl: string;
}

export interface NewRefund {
  readonly refundId: string;
  readonly paymentId: string;
  readonly amountMinor: number;
  readonly currency: string;
}

export interface Checkout extends NewCheckout {
  /** The buyer's last decision. */
  readonly outcome: Outcome | null;
}

/** How the callbacks of a decision are sent. */
export interface CallbackPlan {
  readonly delayMs: number;
  /** How many more copies than one. */
  readonly duplicates: number;
}

const OPEN = `
INSERT INTO checkout (payment_id, amount_minor, currency, callback_url) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING`;

const FIND = `
SELECT payment_id AS "paymentId", amount_minor::float8 AS "amountMinor", currency, callback_url AS "callbackUrl",
       outcome
FROM checkout WHERE payment_id = $1`;

// A declined checkout can still be paid, as with another card; a paid one is final.
const DECIDE = `
UPDATE checkout SET outcome = $2
WHERE payment_id = $1 AND outcome IS DISTINCT FROM $2 AND outcome IS DISTINCT FROM 'paid' RETURNING 1`;

const CALL_BACK = `
INSERT INTO callback (payment_id, url, body, due_at)
SELECT $1, $2, $3, now() + make_interval(secs => $4) FROM generate_series(0, $5::int)`;

const LOCK = 'SELECT 1 FROM checkout WHERE payment_id = $1 FOR UPDATE';

// A repeated refund is the same refund. A new one must not exceed what is left of the payment.
const GIVE_BACK = `
INSERT INTO refund AS r (id, payment_id, amount_minor)
SELECT $1, $2::uuid, $3::bigint FROM checkout c
WHERE c.payment_id = $2::uuid AND c.outcome = 'paid' AND (
  EXISTS (SELECT FROM refund WHERE id = $1) OR
  $3::bigint <= c.amount_minor - (SELECT coalesce(sum(amount_minor), 0) FROM refund WHERE payment_id = c.payment_id))
ON CONFLICT (id) DO UPDATE SET times = r.times + 1
WHERE r.payment_id = excluded.payment_id AND r.amount_minor = excluded.amount_minor
RETURNING id`;

/** The provider's checkouts, the buyers' decisions and the refunds. */
@Injectable()
export class Checkouts {
  constructor(private readonly database: DataSource) {}

  /**
   * A repeated call for the same payment changes nothing.
   * @throws ConflictException when the payment is known with another amount
   */
  async open({ paymentId, amountMinor, currency, callbackUrl }: NewCheckout): Promise<void> {
    await this.database.query(OPEN, [paymentId, amountMinor, currency, callbackUrl]);
    const known = await this.find(paymentId);
    if (known.amountMinor !== amountMinor || known.currency !== currency)
      throw new ConflictException(`payment ${paymentId} is of ${known.amountMinor} ${known.currency}`);
  }

  /** @throws NotFoundException */
  async find(paymentId: string): Promise<Checkout> {
    const [checkout] = (await this.database.query(FIND, [paymentId])) as [Checkout?];
    if (checkout === undefined) throw new NotFoundException(`there is no payment ${paymentId}`);
    return checkout;
  }

  /**
   * Records the buyer's decision with the callbacks that report it, in one transaction. A repeated decision adds no
   * callback.
   * @throws NotFoundException, ConflictException when the payment is already paid
   */
  async decide(paymentId: string, outcome: Outcome, { delayMs, duplicates }: CallbackPlan): Promise<void> {
    const { amountMinor, currency, callbackUrl } = await this.find(paymentId);
    await this.database.transaction(async tx => {
      const [decided] = (await tx.query(DECIDE, [paymentId, outcome])) as [unknown[]];
      if (decided.length === 0) return;
      const body = JSON.stringify({ paymentId, outcome, amountMinor, currency });
      await tx.query(CALL_BACK, [paymentId, callbackUrl, body, delayMs / 1000, duplicates]);
    });
    const now = await this.find(paymentId);
    if (now.outcome !== outcome)
      throw new ConflictException(`payment ${paymentId} is already ${now.outcome}`);
  }

  /**
   * A repeated refund changes nothing.
   * @throws NotFoundException, ConflictException when the currency differs or too little is left of the payment
   */
  async refund({ refundId, paymentId, amountMinor, currency }: NewRefund): Promise<void> {
    const checkout = await this.find(paymentId);
    if (checkout.currency !== currency)
      throw new ConflictException(`payment ${paymentId} is in ${checkout.currency}`);
    await this.database.transaction(async tx => {
      await tx.query(LOCK, [paymentId]);
      const given = (await tx.query(GIVE_BACK, [refundId, paymentId, amountMinor])) as unknown[];
      if (given.length === 0)
        throw new ConflictException(
          `payment ${paymentId} has less than ${amountMinor} ${currency} left to refund`,
        );
    });
  }
}
