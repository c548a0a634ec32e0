import { z } from 'zod';
import { defineRequest } from '#messaging/message';
import {
  BuyerId,
  Currency,
  Id,
  Instant,
  MAX_LINES,
  MinorUnits,
  OrderItem,
  OrderOrigin,
  Text,
} from '../values.js';

export const ORDER_STATUSES = [
  'pending_stock',
  'awaiting_payment',
  'paid',
  'shipped',
  'completed',
  'cancelled',
  'refunded',
] as const;

export const OrderView = z.object({
  orderId: Id,
  buyerId: BuyerId,
  origin: OrderOrigin,
  status: z.enum(ORDER_STATUSES),
  items: z.array(
    OrderItem.extend({
      unitPriceMinor: MinorUnits.nullable(),
      /** How many of this item were refunded. */
      refunded: z.int().nonnegative(),
    }),
  ),
  /** Null until the catalog has set the prices. */
  totalMinor: MinorUnits.nullable(),
  refundedMinor: MinorUnits,
  currency: Currency.nullable(),
  reason: Text.nullable(),
  placedAt: Instant,
  payBy: Instant.nullable(),
  timeline: z.array(z.object({ at: Instant, what: Text })),
});
export type OrderView = z.output<typeof OrderView>;

export const PlaceOrder = defineRequest({
  type: 'order.place.v1',
  schema: z.object({ orderId: Id, buyerId: BuyerId, items: z.array(OrderItem).min(1).max(MAX_LINES) }),
  reply: z.object({ orderId: Id }),
});

export const GetOrder = defineRequest({
  type: 'order.get.v1',
  schema: z.object({ orderId: Id, buyerId: BuyerId }),
  reply: OrderView,
});

export const ListOrders = defineRequest({
  type: 'order.list.v1',
  schema: z.object({ buyerId: BuyerId, limit: z.int().min(1).max(100), before: Id.optional() }),
  reply: z.object({ orders: z.array(OrderView), next: Id.nullable() }),
});

export const StartPayment = defineRequest({
  type: 'order.start-payment.v1',
  schema: z.object({ orderId: Id, buyerId: BuyerId }),
  reply: z.object({ paymentId: Id, checkoutUrl: z.url() }),
});

/** The provider's callback as received: the signature covers the exact bytes of the body. */
export const SettlePayment = defineRequest({
  type: 'order.settle-payment.v1',
  schema: z.object({ timestamp: Text.max(200), signature: Text.max(200), body: Text.max(65_536) }),
  reply: z.object({ outcome: z.enum(['settled', 'repeated', 'refunding', 'declined']) }),
});

const OfBuyer = z.object({ orderId: Id, buyerId: BuyerId });

export const CancelOrder = defineRequest({ type: 'order.cancel.v1', schema: OfBuyer, reply: OrderView });
export const ConfirmReceipt = defineRequest({
  type: 'order.confirm-receipt.v1',
  schema: OfBuyer,
  reply: OrderView,
});

/**
 * Refunds an order: the named items, or all that remain. The caller chooses the refund's id, so it can safely
 * ask again.
 */
export const RefundOrder = defineRequest({
  type: 'order.refund.v1',
  schema: OfBuyer.extend({
    refundId: Id,
    items: z.array(OrderItem).min(1).max(MAX_LINES).optional(),
  }),
  reply: OrderView,
});
