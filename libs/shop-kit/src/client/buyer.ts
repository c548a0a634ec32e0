import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Answer, CallFailed, type PatientAnswer, type ShopHttp } from './http.js';
import { until } from './until.js';

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

const Notice = z.object({ kind: z.string() });
export type Notice = z.output<typeof Notice>;

const Notices = z.object({ notices: z.array(Notice) });
const Points = z.object({ balance: z.int() });
const Orders = z.object({ orders: z.array(OrderState) });
const Problem = z.object({ code: z.string() });

const Checkout = z.object({ paymentId: z.uuid(), checkoutUrl: z.url() });
const Reserved = z.object({ reservationId: z.uuid(), orderId: z.uuid() });
const Placed = z.object({ orderId: z.uuid() });

/** Whether the shop refused because of the order's status. */
export function isWrongState({ status, body }: Answer): boolean {
  return status === 409 && Problem.safeParse(body).data?.code === 'wrong_order_state';
}

/** What a shopper does, from signing in to paying. It retries after 429 and 503, as they ask. */
export class Buyer {
  private constructor(
    private readonly shop: ShopHttp,
    readonly userId: string,
    readonly token: string,
  ) {}

  static async signIn(shop: ShopHttp, userId: string): Promise<Buyer> {
    return new Buyer(shop, userId, await shop.signIn(userId));
  }

  /** One click on a flash sale. */
  async click(campaignId: string, quantity = 1): Promise<PatientAnswer> {
    return this.patiently('POST', `/api/campaigns/${campaignId}/orders`, { quantity });
  }

  /** One click that wins. @returns the order's id. @throws CallFailed when it does not */
  async reserve(campaignId: string, quantity = 1): Promise<string> {
    return Reserved.parse(await this.succeed('POST', `/api/campaigns/${campaignId}/orders`, { quantity }))
      .orderId;
  }

  /** Places an ordinary order. @returns its id */
  async order(items: readonly { sku: string; quantity: number }[]): Promise<string> {
    return Placed.parse(await this.succeed('POST', '/api/orders', { items })).orderId;
  }

  /**
   * The order once it has one of these statuses, or has ended another way: `cancelled` or `refunded`.
   * @throws NotInTime with the order as it is; CallFailed when it is not this buyer's
   */
  async untilOrder(orderId: string, ...statuses: readonly string[]): Promise<OrderState> {
    const ends = [...statuses, 'cancelled', 'refunded'];
    const path = `/api/orders/${orderId}`;
    const { body } = await until(
      `order ${orderId} to be ${statuses.join(' or ')}`,
      async () => {
        const answer = await this.patiently('GET', path);
        // An order that was just reserved is not written yet.
        if (answer.status !== 200 && answer.status !== 404) throw new CallFailed('GET', path, answer);
        return answer;
      },
      ({ status, body }) => status === 200 && ends.includes(OrderState.parse(body).status),
      this.shop.patienceMs,
    );
    return OrderState.parse(body);
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
    const order = isWrongState(answer) ? await this.untilOrder(orderId, 'paid') : undefined;
    if (order?.status === 'cancelled' && order.reason === 'buyer') return order;
    throw new CallFailed('POST', path, answer);
  }

  /** Opens the checkout and pays, or is declined, there; the shop learns of it from the provider. */
  async pay(orderId: string, outcome: 'paid' | 'declined' = 'paid'): Promise<void> {
    const { checkoutUrl } = Checkout.parse(await this.succeed('POST', `/api/orders/${orderId}/payments`));
    await until(
      `${checkoutUrl} to accept that it is ${outcome}`,
      () => this.shop.call('POST', checkoutUrl, { body: { outcome } }).catch(String),
      answer => typeof answer !== 'string' && answer.status < 300,
      this.shop.patienceMs,
    );
  }

  /** Refunds all that is left of an order, or the given items. */
  async refund(orderId: string, items?: readonly { sku: string; quantity: number }[]): Promise<Answer> {
    return this.patiently('POST', `/api/orders/${orderId}/refund`, { refundId: randomUUID(), items });
  }

  /** What the shop has told the buyer so far. */
  async notices(): Promise<Notice[]> {
    return Notices.parse(await this.succeed('GET', '/api/me/notifications')).notices;
  }

  /** The same, once there are as many. @throws NotInTime */
  async untilNotices(count: number): Promise<Notice[]> {
    return until(
      `${count} notices for ${this.userId}`,
      () => this.notices(),
      notices => notices.length >= count,
      this.shop.patienceMs,
    );
  }

  /** The buyer's points, once there are as many. @throws NotInTime */
  async untilPoints(balance: number): Promise<number> {
    return until(
      `${balance} points for ${this.userId}`,
      async () => Points.parse(await this.succeed('GET', '/api/me/points')).balance,
      points => points >= balance,
      this.shop.patienceMs,
    );
  }

  private async succeed(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    const answer = await this.patiently(method, path, body);
    if (answer.status >= 300) throw new CallFailed(method, path, answer);
    return answer.body;
  }

  private async patiently(method: 'GET' | 'POST', path: string, body?: unknown): Promise<PatientAnswer> {
    // Repeated, a call has its effect once.
    const headers = { 'idempotency-key': `"${randomUUID()}"` };
    return this.shop.callPatiently(method, path, {
      body,
      token: this.token,
      ...(method === 'POST' && { headers }),
    });
  }
}
