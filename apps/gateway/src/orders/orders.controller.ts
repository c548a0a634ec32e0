import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  CancelOrder,
  ConfirmReceipt,
  GetOrder,
  ListOrders,
  MAX_LINES,
  OrderItem,
  type OrderView,
  PlaceOrder,
  RefundOrder,
  StartPayment,
} from '#contracts';
import { Admit, type ReplyOf } from '#messaging';
import { RequestClient } from '#requests';
import { Idempotent } from '../idempotency/idempotent.js';
import { CallIds, type NewIds } from '../idempotency/new-ids.js';
import { Problems } from '../problems/document-problems.js';
import { AnyCaseId, ZodBody, ZodParam, ZodQuery } from '../problems/zod-body.js';
import { Access, CurrentSession, type Session } from '../sessions/access.js';

const NewOrder = z.object({ items: z.array(OrderItem).min(1).max(MAX_LINES) });
/** Strict: a misspelled `items` must not refund the whole order. */
const Return = z.strictObject({
  items: z.array(OrderItem).min(1).max(MAX_LINES).optional(),
  /** A repeated request with the same id is the same refund. */
  refundId: AnyCaseId.optional(),
});
const Listing = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  before: AnyCaseId.optional(),
});

/** A buyer's own orders. Another buyer's order is not found. */
@ApiTags('orders')
@Controller('api/orders')
@Access('shopper')
export class OrdersController {
  constructor(private readonly requests: RequestClient) {}

  /** Places an ordinary order. Its stock is reserved or refused a moment after the answer. */
  @Post()
  @Problems('too_many_requests')
  @Admit('route:orders', { whenAway: 'admit' })
  @Idempotent('order')
  @HttpCode(202)
  place(
    @ZodBody(NewOrder) { items }: z.output<typeof NewOrder>,
    @CurrentSession() { userId: buyerId }: Session,
    @CallIds() ids: NewIds,
  ): Promise<{ orderId: string }> {
    return this.requests.ask(PlaceOrder, { orderId: ids.next(), buyerId, items }, { repeatable: true });
  }

  @Get()
  list(
    @ZodQuery(Listing) query: z.output<typeof Listing>,
    @CurrentSession() { userId: buyerId }: Session,
  ): Promise<ReplyOf<typeof ListOrders>> {
    return this.requests.ask(ListOrders, { ...query, buyerId }, { repeatable: true });
  }

  @Get(':id')
  @Problems('order_not_found')
  get(
    @ZodParam('id', AnyCaseId) orderId: string,
    @CurrentSession() { userId: buyerId }: Session,
  ): Promise<OrderView> {
    return this.requests.ask(GetOrder, { orderId, buyerId }, { repeatable: true });
  }

  /** Opens a checkout with the payment provider. While one is open, this returns that one. */
  @Post(':id/payments')
  @Problems('order_not_found', 'wrong_order_state', 'payment_provider_unavailable', 'too_many_requests')
  @Admit('route:payments', { whenAway: 'admit' })
  @Idempotent('order')
  pay(
    @ZodParam('id', AnyCaseId) orderId: string,
    @CurrentSession() { userId: buyerId }: Session,
  ): Promise<ReplyOf<typeof StartPayment>> {
    return this.requests.ask(StartPayment, { orderId, buyerId }, { repeatable: true, deadlineMs: 10_000 });
  }

  @Post(':id/cancel')
  @Problems('order_not_found', 'wrong_order_state')
  @HttpCode(200)
  cancel(
    @ZodParam('id', AnyCaseId) orderId: string,
    @CurrentSession() { userId: buyerId }: Session,
  ): Promise<OrderView> {
    return this.requests.ask(CancelOrder, { orderId, buyerId });
  }

  @Post(':id/receipt')
  @Problems('order_not_found', 'wrong_order_state')
  @HttpCode(200)
  receipt(
    @ZodParam('id', AnyCaseId) orderId: string,
    @CurrentSession() { userId: buyerId }: Session,
  ): Promise<OrderView> {
    return this.requests.ask(ConfirmReceipt, { orderId, buyerId });
  }

  /** Refunds the given items, or the rest of the order. A caller that may retry chooses the `refundId`. */
  @Post(':id/refund')
  @Problems('order_not_found', 'wrong_order_state', 'more_than_bought', 'whole_order_only', 'refund_id_taken')
  @Idempotent('order')
  @HttpCode(200)
  refund(
    @ZodParam('id', AnyCaseId) orderId: string,
    @ZodBody(Return) { items, refundId }: z.output<typeof Return>,
    @CurrentSession() { userId: buyerId }: Session,
    @CallIds() ids: NewIds,
  ): Promise<OrderView> {
    const refund = { orderId, buyerId, refundId: refundId ?? ids.next(), items };
    return this.requests.ask(RefundOrder, refund, { repeatable: true });
  }
}
