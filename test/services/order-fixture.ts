import { createHmac, randomUUID } from 'node:crypto';
import {
  CancelOrder,
  ConfirmReceipt,
  GetOrder,
  OrderCancelled,
  OrderCompleted,
  OrderPaid,
  OrderPlaced,
  OrderRefunded,
  PaymentDue,
  PlaceOrder,
  RefundOrder,
  SettlePayment,
  StockReserved,
} from '#contracts';
import { ServiceHarness } from '#testkit';
import { OrderConfig } from '../../apps/order/src/order.config.js';
import { orderDatabase } from '../../apps/order/src/order.database.js';
import { OrderModule } from '../../apps/order/src/order.module.js';
import { aStockReserved } from './builders.js';

const SECRET = 'a secret of the payment provider';
const LOCK_ORDER = 'SELECT 1 FROM orders WHERE id = $1 FOR UPDATE';

export interface Payable {
  readonly orderId: string;
  readonly buyerId: string;
  readonly paymentId: string;
}

/** The order service, and what happens to an order. */
export async function startOrder() {
  const harness = await ServiceHarness.start({
    module: OrderModule,
    migrations: orderDatabase.migrations,
    config: DATABASE_URL =>
      OrderConfig.parse({
        DATABASE_URL,
        // Nothing listens there: what these tests are about is decided before the provider is called.
        PAYMENT_PROVIDER_URL: 'http://127.0.0.1:1',
        PAYMENT_CALLBACK_URL: 'http://127.0.0.1:1',
        PAYMENT_SECRET: SECRET,
        PAYMENT_API_KEY: 'x'.repeat(16),
      }),
    publishes: [OrderPlaced, OrderPaid, OrderCancelled, OrderRefunded, OrderCompleted],
  });
  const stateOf = async ({ orderId, buyerId }: Payable) => harness.ask(GetOrder, { orderId, buyerId });
  return {
    harness,
    place: (orderId: string, buyerId: string) =>
      harness.ask(PlaceOrder, { orderId, buyerId, items: [{ sku: 'uk.A', quantity: 2 }] }),
    /** An open checkout: the row that is written before the provider learns of it. */
    async openPayment(orderId: string, amountMinor: number): Promise<string> {
      const paymentId = randomUUID();
      await harness.database.query(
        `INSERT INTO payment (id, order_id, amount_minor, currency, status) VALUES ($1, $2, $3, 'GBP', 'pending')`,
        [paymentId, orderId, amountMinor],
      );
      return paymentId;
    },
    /** An ordinary order whose stock is reserved and whose checkout is open. */
    async payable(): Promise<Payable> {
      const [orderId, buyerId] = [randomUUID(), 'ann'];
      await this.place(orderId, buyerId);
      await harness.deliver(StockReserved, aStockReserved(orderId));
      return { orderId, buyerId, paymentId: await this.openPayment(orderId, 1_000) };
    },
    async paid(): Promise<Payable> {
      const order = await this.payable();
      await this.pay(order);
      return order;
    },
    pay({ paymentId }: Payable, differences: object = {}) {
      const callback = { paymentId, outcome: 'paid', amountMinor: 1_000, currency: 'GBP', ...differences };
      const [timestamp, body] = [String(Math.floor(Date.now() / 1_000)), JSON.stringify(callback)];
      const signature = createHmac('sha256', SECRET).update(`${timestamp}.${body}`).digest('hex');
      return harness.ask(SettlePayment, { timestamp, body, signature });
    },
    cancel: ({ orderId, buyerId }: Payable) => harness.ask(CancelOrder, { orderId, buyerId }),
    refund: ({ orderId, buyerId }: Payable, refundId: string = randomUUID(), quantity?: number) =>
      harness.ask(RefundOrder, {
        orderId,
        buyerId,
        refundId,
        ...(quantity !== undefined && { items: [{ sku: 'uk.A', quantity }] }),
      }),
    confirm: ({ orderId, buyerId }: Payable) => harness.ask(ConfirmReceipt, { orderId, buyerId }),
    expire: ({ orderId }: Payable) => harness.deliver(PaymentDue, { orderId }),
    /** As fulfillment will do it. */
    ship: ({ orderId }: Payable) =>
      harness.database.query("UPDATE orders SET status = 'shipped' WHERE id = $1", [orderId]),
    stateOf,
    statusOf: async (order: Payable) => (await stateOf(order)).status,
    refundsOf: async ({ orderId }: Payable) =>
      (await harness.database.query(
        'SELECT id, amount_minor::int AS minor, jsonb_array_length(items) AS lines FROM refund WHERE order_id = $1 ORDER BY requested_at',
        [orderId],
      )) as { id: string; minor: number; lines: number }[],
    /** All wait for the order's row, and get it in the given order. */
    race: (order: Payable, ...works: (() => Promise<unknown>)[]) =>
      harness.inOrder(LOCK_ORDER, [order.orderId], works),
  };
}
