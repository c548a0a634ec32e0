import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { type Answer, CallFailed, type PatientAnswer, type Shop } from './shop.js';

const OrderState = z.object({
  orderId: z.uuid(),
  status: z.string(),
  reason: z.string().nullable(),
  totalMinor: z.int().nullable(),
  refundedMinor: z.int(),
  origin: z.object({ kind: z.string(), campaignId: z.uuid().optional() }),
  items: z.array(z.object({ sku: z.string(), quantity: z.int(), refunded: z.int() })),
});
export type OrderState = z.output<typeof OrderState>;

const Orders = z.object({ orders: z.array(OrderState) });
const Problem = z.object({ code: z.string() });

const Checkout = z.object({ paymentId: z.uuid(), checkoutUrl: z.url() });
const Placed = z.object({ orderId: z.uuid() });

/** Whether the shop refused because of the order's status. */
export function isWrongState({ status, body }: Answer): boolean {
  return status === 409 && Problem.safeParse(body).data?.code === 'wrong_order_state';
}

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
  async click(campaignId: string, quantity = 1): Promise<PatientAnswer> {
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

  /** The buyer's latest orders: also those whose confirmation was lost. */
  async orders(): Promise<OrderState[]> {
    return Orders.parse(await this.succeed('GET', '/api/orders?limit=100')).orders;
  }

  /** Cancels the order. @throws CallFailed when it is too late for that */
  async cancel(orderId: string): Promise<OrderState> {
    const path = `/api/orders/${orderId}/cancel`;
    const answer = await this.patiently('POST', path);
    if (answer.status === 200) return OrderState.parse(answer.body);
    // After a lost answer, the order is cancelled already.
    const order = isWrongState(answer) ? await this.orderWhen(orderId, 'paid') : undefined;
    if (order?.status === 'cancelled' && order.reason === 'buyer') return order;
    throw new CallFailed('POST', path, answer);
  }

  /** Opens the checkout and pays, or is declined, there; the shop learns of it from the provider. */
  async pay(orderId: string, outcome: 'paid' | 'declined' = 'paid'): Promise<void> {
    const { checkoutUrl } = Checkout.parse(await this.succeed('POST', `/api/orders/${orderId}/payments`));
    for (let asked = 0; ; asked += 1) {
      const answer = await this.shop.call('POST', checkoutUrl, { body: { outcome } }).catch(() => undefined);
      if (answer !== undefined && answer.status < 300) return;
      if (asked >= PATIENCE)
        throw new Error(`${checkoutUrl} does not accept that it is ${outcome}: ${JSON.stringify(answer)}`);
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

  private async patiently(method: 'GET' | 'POST', path: string, body?: unknown): Promise<PatientAnswer> {
    return this.shop.callPatiently(method, path, { body, token: this.token });
  }
}
