import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { type Answer, CallFailed, type Shop } from './shop.js';

const OrderState = z.object({
  orderId: z.uuid(),
  status: z.string(),
  reason: z.string().nullable(),
  totalMinor: z.int().nullable(),
});
export type OrderState = z.output<typeof OrderState>;

const Checkout = z.object({ paymentId: z.uuid(), checkoutUrl: z.url() });
const Placed = z.object({ orderId: z.uuid() });

/** How often to retry something that answers "not yet" before giving up. */
const PATIENCE = 600;
const BREATH_MS = 50;

/** What a shopper does, from signing in to paying. It retries after 429 and 503, as they ask. */
export class Buyer {
  private constructor(
    private readonly shop: Shop,
    readonly userId: string,
    readonly token: string,
  ) {}

  static async signIn(shop: Shop, userId: string): Promise<Buyer> {
    return new Buyer(shop, userId, await shop.signIn(userId));
  }

  /** One click on a flash sale. */
  async click(campaignId: string, quantity = 1): Promise<Answer> {
    return this.patiently('POST', `/api/campaigns/${campaignId}/orders`, { quantity });
  }

  async order(items: readonly { sku: string; quantity: number }[]): Promise<string> {
    return Placed.parse(await this.succeed('POST', '/api/orders', { items })).orderId;
  }

  /** The order once it has one of these statuses, or has ended another way. */
  async orderWhen(orderId: string, ...statuses: readonly string[]): Promise<OrderState> {
    const ended = [...statuses, 'cancelled', 'refunded'];
    for (let asked = 0; ; asked += 1) {
      const answer = await this.patiently('GET', `/api/orders/${orderId}`);
      if (answer.status === 200) {
        const order = OrderState.parse(answer.body);
        if (ended.includes(order.status) || asked >= PATIENCE) return order;
      } else if (answer.status !== 404 || asked >= PATIENCE) {
        throw new CallFailed('GET', `/api/orders/${orderId}`, answer);
      }
      await setTimeout(Math.min(BREATH_MS * (1 + asked / 10), 500));
    }
  }

  /** Opens the checkout and pays there; the shop learns of it from the provider. */
  async pay(orderId: string): Promise<void> {
    const { checkoutUrl } = Checkout.parse(await this.succeed('POST', `/api/orders/${orderId}/payments`));
    for (let asked = 0; ; asked += 1) {
      const answer = await this.shop
        .call('POST', checkoutUrl, { body: { outcome: 'paid' } })
        .catch(() => undefined);
      if (answer !== undefined && answer.status < 300) return;
      if (asked >= PATIENCE)
        throw new Error(`${checkoutUrl} does not accept the payment: ${JSON.stringify(answer)}`);
      await setTimeout(BREATH_MS * 4);
    }
  }

  /** Refunds all that is left of an order, or the given items. */
  async refund(orderId: string, items?: readonly { sku: string; quantity: number }[]): Promise<Answer> {
    return this.patiently('POST', `/api/orders/${orderId}/refund`, { refundId: randomUUID(), items });
  }

  private async succeed(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    const answer = await this.patiently(method, path, body);
    if (answer.status >= 300) throw new CallFailed(method, path, answer);
    return answer.body;
  }

  private async patiently(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> {
    return this.shop.callPatiently(method, path, { body, token: this.token });
  }
}
