import { randomUUID } from 'node:crypto';
import type { OrderPaid, OrderRefunded, SeckillReserved, StockReserved } from '#contracts';

/** Events as a test needs them: whole, valid, and different from each other where it matters. */

export function anOrderPaid(differences: Partial<OrderPaid> = {}): OrderPaid {
  return {
    orderId: randomUUID(),
    buyerId: `buyer-${randomUUID().slice(0, 8)}`,
    origin: { kind: 'ordinary' },
    items: [{ sku: 'uk.A', quantity: 1, unitPriceMinor: 1_250 }],
    totalMinor: 1_250,
    currency: 'GBP',
    paymentId: randomUUID(),
    paidAt: new Date().toISOString(),
    ...differences,
  };
}

/** A full refund of what was paid. */
export function itsRefund(paid: OrderPaid, differences: Partial<OrderRefunded> = {}): OrderRefunded {
  const { orderId, buyerId, origin, items, totalMinor, currency } = paid;
  return {
    orderId,
    buyerId,
    origin,
    items,
    totalMinor,
    currency,
    refundId: randomUUID(),
    paidMinor: totalMinor,
    refundedBeforeMinor: 0,
    refundedAt: new Date().toISOString(),
    ...differences,
  };
}

export function aStockReserved(orderId: string, unitPriceMinor = 500): StockReserved {
  const items = [{ sku: 'uk.A', quantity: 2, unitPriceMinor }];
  return { orderId, items, totalMinor: 2 * unitPriceMinor, currency: 'GBP' };
}

export function aSeckillReserved(differences: Partial<SeckillReserved> = {}): SeckillReserved {
  const now = Date.now();
  return {
    campaignId: randomUUID(),
    reservationId: randomUUID(),
    orderId: randomUUID(),
    buyerId: `buyer-${randomUUID().slice(0, 8)}`,
    sku: 'uk.A',
    quantity: 1,
    unitPriceMinor: 990,
    currency: 'GBP',
    reservedAt: new Date(now).toISOString(),
    payBy: new Date(now + 60_000).toISOString(),
    ...differences,
  };
}
