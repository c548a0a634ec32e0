import type { OrderItem, PricedItem } from '#contracts';
import { DomainError } from '#messaging';
import { quantitiesBySku } from '../quantities.js';

/** A line of an order, with the quantity already refunded. */
export interface RefundableItem extends PricedItem {
  readonly refunded?: number;
}

export class MoreThanBought extends DomainError {
  readonly code = 'more_than_bought';
  constructor(
    readonly sku: string,
    readonly wanted: number,
    readonly left: number,
  ) {
    super(`${wanted} of ${sku} cannot come back: the order has ${left} of it left`);
  }
}

export class WholeOrderOnly extends DomainError {
  readonly code = 'whole_order_only';
  constructor() {
    super('what a flash sale sold comes back whole or not at all; leave "items" out');
  }
}

export class RefundIdTaken extends DomainError {
  readonly code = 'refund_id_taken';
  constructor(readonly refundId: string) {
    super(`refund ${refundId} belongs to another order; choose another "refundId", or leave it out`);
  }
}

export interface Comeback {
  readonly items: PricedItem[];
  readonly amountMinor: number;
  /** The order's lines, including what comes back. */
  readonly lines: RefundableItem[];
  /** Whether nothing is left of the order. */
  readonly whole: boolean;
}

/**
 * The items that come back from an order, and their worth. If no items are named, all that are left. Pure.
 * @throws MoreThanBought
 */
export function whatComesBack(
  order: readonly RefundableItem[],
  wanted: readonly OrderItem[] | undefined,
): Comeback {
  const left = new Map(order.map(line => [line.sku, line.quantity - (line.refunded ?? 0)]));
  const back = new Map(wanted === undefined ? left : quantitiesBySku(wanted));
  for (const [sku, quantity] of back) {
    if (quantity > (left.get(sku) ?? 0)) throw new MoreThanBought(sku, quantity, left.get(sku) ?? 0);
  }
  const items = order.flatMap(({ sku, unitPriceMinor }) => {
    const quantity = back.get(sku) ?? 0;
    return quantity === 0 ? [] : [{ sku, quantity, unitPriceMinor }];
  });
  const lines = order.map(line => ({ ...line, refunded: (line.refunded ?? 0) + (back.get(line.sku) ?? 0) }));
  return {
    items,
    amountMinor: items.reduce((sum, item) => sum + item.quantity * item.unitPriceMinor, 0),
    lines,
    whole: lines.every(line => line.refunded === line.quantity),
  };
}
