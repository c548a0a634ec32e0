import { describe, expect, it } from '@jest/globals';
import { compareBooks } from './naive-books.js';

const books = (...figures: readonly (number | undefined)[]) =>
  new Map(
    ['seckill', 'order', 'notification', 'statistics'].flatMap((service, n) => {
      const orders = figures[n];
      if (orders === undefined) return [];
      return [[service, orders === 0 ? [] : [{ campaignId: 'c', orders, units: 2 * orders }]]];
    }),
  );

describe('the books of a naive campaign', () => {
  it('hold when every step was done as often as the others', () => {
    expect(compareBooks(books(3, 3, 3, 3))).toMatchObject([{ campaignId: 'c', holds: true }]);
    expect(compareBooks(books(0, 0, 0, 0))).toEqual([]);
  });

  it('show what was lost between two steps, and who did not answer', () => {
    expect(compareBooks(books(3, 2, 2, 0))).toMatchObject([
      {
        holds: false,
        orders: { seckill: 3, order: 2, notification: 2, statistics: 0 },
        units: { statistics: 0 },
      },
    ]);
    expect(compareBooks(books(3, 3, undefined, 3))).toMatchObject([
      { holds: false, orders: { notification: null } },
    ]);
  });
});
