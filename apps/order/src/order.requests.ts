import { Controller } from '@nestjs/common';
import {
  CancelOrder,
  ConfirmReceipt,
  GetOrder,
  ListOrders,
  PlaceOrder,
  RefundOrder,
  SettlePayment,
  StartPayment,
} from '#contracts';
import { type ReplyOf, type RequestOf } from '#messaging';
import { HandleRequest } from '#requests';
import { CancelOrderUseCase } from './cancel/cancel-order.js';
import { SettlePaymentUseCase } from './payment/settle-payment.js';
import { StartPaymentUseCase } from './payment/start-payment.js';
import { PlaceOrderUseCase } from './place/place-order.js';
import { ReadOrders } from './read/read-orders.js';
import { ConfirmReceiptUseCase } from './receipt/confirm-receipt.js';
import { RefundOrderUseCase } from './payment/refund-order.js';

/** The queries and commands that the order service answers. */
@Controller()
export class OrderRequests {
  constructor(
    private readonly placing: PlaceOrderUseCase,
    private readonly reading: ReadOrders,
    private readonly starting: StartPaymentUseCase,
    private readonly settling: SettlePaymentUseCase,
    private readonly cancelling: CancelOrderUseCase,
    private readonly refunding: RefundOrderUseCase,
    private readonly confirming: ConfirmReceiptUseCase,
  ) {}

  @HandleRequest(PlaceOrder)
  place(request: RequestOf<typeof PlaceOrder>) {
    return this.placing.place(request);
  }

  @HandleRequest(GetOrder)
  get({ orderId, buyerId }: RequestOf<typeof GetOrder>) {
    return this.reading.get(orderId, buyerId);
  }

  @HandleRequest(ListOrders)
  list(request: RequestOf<typeof ListOrders>) {
    return this.reading.list(request);
  }

  @HandleRequest(StartPayment)
  startPayment(request: RequestOf<typeof StartPayment>) {
    return this.starting.start(request);
  }

  @HandleRequest(SettlePayment)
  settlePayment(request: RequestOf<typeof SettlePayment>) {
    return this.settling.settle(request);
  }

  @HandleRequest(CancelOrder)
  async cancel(request: RequestOf<typeof CancelOrder>): Promise<ReplyOf<typeof CancelOrder>> {
    return (await this.cancelling.cancel(request)).toView([]);
  }

  @HandleRequest(RefundOrder)
  async refund(request: RequestOf<typeof RefundOrder>): Promise<ReplyOf<typeof RefundOrder>> {
    await this.refunding.refund(request);
    return this.reading.get(request.orderId, request.buyerId);
  }

  @HandleRequest(ConfirmReceipt)
  async confirmReceipt(request: RequestOf<typeof ConfirmReceipt>): Promise<ReplyOf<typeof ConfirmReceipt>> {
    await this.confirming.confirm(request);
    return this.reading.get(request.orderId, request.buyerId);
  }
}
