import { DomainError } from '#messaging';
import type { OrderStatus } from './order.entity.js';

export class OrderNotFound extends DomainError {
  readonly code = 'order_not_found';
  constructor(readonly orderId: string) {
    super(`you have no order ${orderId}; a reserved order is written a moment after its reservation`);
  }
}

/** The order's state does not allow it. */
export class WrongOrderState extends DomainError {
  readonly code = 'wrong_order_state';
  constructor(
    readonly orderId: string,
    readonly wanted: string,
    readonly orderStatus: OrderStatus,
    readonly allowed: readonly OrderStatus[],
  ) {
    super(`order ${orderId} is ${orderStatus} and cannot be ${wanted}; it must be ${allowed.join(' or ')}`);
  }
}
