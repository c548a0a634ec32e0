import { describe, expect, it } from '@jest/globals';
import { whatComesBack } from './what-comes-back.js';

const order = [
  { sku: 'uk.A', quantity: 3, unitPriceMinor: 100 },
  { sku: 'uk.B', quantity: 1, unitPriceMinor: 250, refunded: 0 },
];

describe('what comes back of an order', () => {
  it('is all that is left when nothing is named', () => {
    expect(whatComesBack(order, undefined)).toMatchObject({ amountMinor: 550, whole: true });
  });

  it('is what is named, line by line, and never more than is left', () => {
    const first = whatComesBack(order, [
      { sku: 'uk.A', quantity: 1 },
      { sku: 'uk.A', quantity: 1 },
    ]);
    expect(first).toMatchObject({ items: [{ sku: 'uk.A', quantity: 2 }], amountMinor: 200, whole: false });
    expect(() => whatComesBack(first.lines, [{ sku: 'uk.A', quantity: 2 }])).toThrow('has 1 of it left');
    expect(() => whatComesBack(order, [{ sku: 'uk.C', quantity: 1 }])).toThrow('has 0 of it left');
    const rest = whatComesBack(first.lines, undefined);
    expect(rest).toMatchObject({ amountMinor: 350, whole: true });
    expect(rest.items).toEqual([
      { sku: 'uk.A', quantity: 1, unitPriceMinor: 100 },
      { sku: 'uk.B', quantity: 1, unitPriceMinor: 250 },
    ]);
  });
});
