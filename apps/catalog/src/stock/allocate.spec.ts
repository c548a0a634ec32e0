import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { OrderPlaced } from '#contracts';
import { allocate } from './allocate.js';

const products = [
  { sku: 'uk.A', available: 5, priceMinor: 100, currency: 'GBP' },
  { sku: 'uk.B', available: 1, priceMinor: 250, currency: 'GBP' },
];

const order = (...items: OrderPlaced['items']): OrderPlaced => ({
  orderId: randomUUID(),
  buyerId: 'ann',
  origin: { kind: 'ordinary' },
  items,
  placedAt: new Date(0).toISOString(),
});

describe('allocate', () => {
  it('prices what it reserves', () => {
    const { reserved } = allocate(
      [order({ sku: 'uk.A', quantity: 2 }, { sku: 'uk.B', quantity: 1 })],
      products,
    );
    expect(reserved[0]).toMatchObject({ totalMinor: 450, currency: 'GBP' });
  });

  it('gives an order all or nothing, and what one order does not get to the next', () => {
    const orders = [
      order({ sku: 'uk.B', quantity: 1 }),
      order({ sku: 'uk.A', quantity: 5 }, { sku: 'uk.B', quantity: 1 }),
      order({ sku: 'uk.A', quantity: 5 }),
    ];
    const { reserved, rejected, taken } = allocate(orders, products);
    expect(reserved.map(each => each.orderId)).toEqual([orders[0]!.orderId, orders[2]!.orderId]);
    expect(rejected).toEqual([{ orderId: orders[1]!.orderId, sku: 'uk.B', reason: 'out_of_stock' }]);
    expect(Object.fromEntries(taken)).toEqual({ 'uk.A': 5, 'uk.B': 1 });
  });

  it('tells an unknown SKU from one that is out of stock', () => {
    const { rejected } = allocate([order({ sku: 'uk.C', quantity: 1 })], products);
    expect(rejected).toMatchObject([{ sku: 'uk.C', reason: 'unknown_sku' }]);
  });

  it('refuses what cannot be summed up: two currencies, or a total that is no exact number', () => {
    const odd = [
      ...products,
      { sku: 'us.C', available: 9, priceMinor: 100, currency: 'USD' },
      { sku: 'uk.D', available: 9, priceMinor: 2 ** 52, currency: 'GBP' },
    ];
    const mixed = order({ sku: 'uk.A', quantity: 1 }, { sku: 'us.C', quantity: 1 });
    const huge = order({ sku: 'uk.D', quantity: 9 });
    const { reserved, rejected } = allocate([mixed, huge], odd);
    expect(reserved).toEqual([]);
    expect(rejected.map(({ sku, reason }) => [sku, reason])).toEqual([
      ['us.C', 'not_priceable'],
      ['uk.D', 'not_priceable'],
    ]);
  });
});
