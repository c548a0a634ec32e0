import { z } from 'zod';
import { defineEvent, type EventOf } from '#messaging/message';
import { BuyerId, Currency, Id, Instant, MinorUnits, OrderItem, OrderOrigin, PricedItem } from '../values.js';

const byOrder = (event: { orderId: string }) => event.orderId;

/**
 * A buyer placed an order. An ordinary order has no prices yet: the catalog sets them when it reserves the
 * stock.
 */
export const OrderPlaced = defineEvent({
  type: 'order.placed.v1',
  topic: 'order',
  key: byOrder,
  schema: z.object({
    orderId: Id,
    buyerId: BuyerId,
    origin: OrderOrigin,
    items: z.array(OrderItem).min(1),
    placedAt: Instant,
  }),
});
export type OrderPlaced = EventOf<typeof OrderPlaced>;

const Settled = z.object({
  orderId: Id,
  buyerId: BuyerId,
  origin: OrderOrigin,
  items: z.array(PricedItem).min(1),
  totalMinor: MinorUnits,
  currency: Currency,
});

export const OrderPaid = defineEvent({
  type: 'order.paid.v1',
  topic: 'order',
  key: byOrder,
  schema: Settled.extend({ paymentId: Id, paidAt: Instant }),
});
export type OrderPaid = EventOf<typeof OrderPaid>;

/** An order ended unpaid. Every service that holds stock for it releases that stock. */
export const OrderCancelled = defineEvent({
  type: 'order.cancelled.v1',
  topic: 'order',
  key: byOrder,
  schema: z.object({
    orderId: Id,
    buyerId: BuyerId,
    origin: OrderOrigin,
    items: z.array(OrderItem).min(1),
    reason: z.enum(['buyer', 'unpaid', 'out_of_stock', 'unknown_sku', 'not_priceable']),
    cancelledAt: Instant,
  }),
});
export type OrderCancelled = EventOf<typeof OrderCancelled>;

/**
 * A paid order was refunded, in whole or in part. Items and total cover this part. Stock and points follow.
 */
export const OrderRefunded = defineEvent({
  type: 'order.refunded.v1',
  topic: 'order',
  key: byOrder,
  schema: Settled.extend({
    refundId: Id,
    /** What the whole order cost. */
    paidMinor: MinorUnits,
    /** The amount refunded before this refund. */
    refundedBeforeMinor: MinorUnits,
    refundedAt: Instant,
  }),
});
export type OrderRefunded = EventOf<typeof OrderRefunded>;

/** The buyer confirmed receipt of a shipped order. */
export const OrderCompleted = defineEvent({
  type: 'order.completed.v1',
  topic: 'order',
  key: byOrder,
  schema: z.object({ orderId: Id, buyerId: BuyerId, completedAt: Instant }),
});
export type OrderCompleted = EventOf<typeof OrderCompleted>;

/** The provider must pay this amount of a payment back to the buyer. */
export const RefundRequested = defineEvent({
  type: 'order.refund-requested.v1',
  topic: 'order-refund',
  key: byOrder,
  schema: z.object({
    refundId: Id,
    orderId: Id,
    paymentId: Id,
    amountMinor: MinorUnits,
    currency: Currency,
  }),
});
export type RefundRequested = EventOf<typeof RefundRequested>;

/** The payment deadline has passed. A timer of the order service publishes this event. */
export const PaymentDue = defineEvent({
  type: 'order.payment-due.v1',
  topic: 'order-timer',
  key: byOrder,
  schema: z.object({ orderId: Id }),
});
export type PaymentDue = EventOf<typeof PaymentDue>;
