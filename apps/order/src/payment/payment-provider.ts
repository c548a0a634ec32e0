import { createHmac, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { RefundRequested } from '#contracts';
import { Dependency, postOutside, DomainError, requireSuccess } from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import { z } from 'zod';
import type { OrderConfig } from '../order.config.js';

/** A callback is invalid after this time, so that nobody can replay a copy later. */
const TOLERANCE_S = 300;
const TIMEOUT_MS = 5_000;

const CheckoutReply = z.object({ checkoutUrl: z.url() });

export class ProviderUnavailable extends DomainError {
  readonly code = 'payment_provider_unavailable';
  constructor(reason: string, options?: ErrorOptions) {
    super(`the payment provider did not answer correctly (${reason}); try again in a moment`, options);
  }
}

export class InvalidSignature extends DomainError {
  readonly code = 'invalid_signature';
  constructor(reason: string) {
    super(`the callback is not from the payment provider: ${reason}`);
  }
}

/** The payment provider, as this service knows it. */
@Injectable()
export class PaymentProvider {
  private readonly provider = new Dependency('the payment provider');

  constructor(@Inject(SERVICE_CONFIG) private readonly config: OrderConfig) {}

  /** Opens a checkout. A repeated call for the same payment returns the same checkout. */
  async openCheckout(paymentId: string, amountMinor: number, currency: string): Promise<string> {
    const callbackUrl = this.config.PAYMENT_CALLBACK_URL;
    const reply = await this.post('/payments/checkouts', paymentId, {
      paymentId,
      amountMinor,
      currency,
      callbackUrl,
    });
    const parsed = CheckoutReply.safeParse(reply);
    if (!parsed.success) throw new ProviderUnavailable('no checkoutUrl in its answer');
    return parsed.data.checkoutUrl;
  }

  /** Returns money. A repeated call for the same refund changes nothing. */
  async refund({ refundId, paymentId, amountMinor, currency }: RefundRequested): Promise<void> {
    await this.post('/payments/refunds', refundId, { refundId, paymentId, amountMinor, currency });
  }

  /**
   * Checks that a callback is the provider's and fresh: HMAC-SHA256 over `<timestamp>.<body>`, in hex.
   * @throws InvalidSignature
   */
  verify(timestamp: string, body: string, signature: string, nowMs: number): void {
    const age = Math.abs(nowMs / 1000 - Number(timestamp));
    if (!/^\d{1,12}$/.test(timestamp) || age > TOLERANCE_S)
      throw new InvalidSignature('its timestamp is missing or old');
    const expected = createHmac('sha256', this.config.PAYMENT_SECRET).update(`${timestamp}.${body}`).digest();
    // Node's own reading of hex digits stops at the first that is none.
    if (!/^[0-9a-f]{64}$/i.test(signature)) throw new InvalidSignature('its signature is not 64 hex digits');
    if (!timingSafeEqual(Buffer.from(signature, 'hex'), expected)) {
      throw new InvalidSignature('its signature does not match its body');
    }
  }

  private async post(path: string, idempotencyKey: string, body: object): Promise<unknown> {
    try {
      return await this.provider.call(() => this.send(path, idempotencyKey, body));
    } catch (error) {
      throw new ProviderUnavailable(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  private async send(path: string, idempotencyKey: string, body: object): Promise<unknown> {
    const answer = await postOutside(`${this.config.PAYMENT_PROVIDER_URL}${path}`, {
      headers: {
        authorization: `Bearer ${this.config.PAYMENT_API_KEY}`,
        'content-type': 'application/json',
        'idempotency-key': idempotencyKey,
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    // The status is checked before the body is parsed: during an outage, the body is often an HTML page.
    requireSuccess(this.provider.name, answer);
    return JSON.parse(answer.text) as unknown;
  }
}
