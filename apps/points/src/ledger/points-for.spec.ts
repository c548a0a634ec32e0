import { describe, expect, it } from '@jest/globals';
import { pointsBack, pointsFor } from './points-for.js';

describe('points', () => {
  it('are one for each whole unit', () => {
    expect([0, 99, 100, 1_999].map(minor => pointsFor(minor, 'GBP'))).toEqual([0, 0, 1, 19]);
    expect(pointsFor(3_000, 'JPY')).toBe(3_000);
    expect(pointsFor(1_999, 'BHD')).toBe(1);
  });

  it('go back with every part of an order, all of them with all of it', () => {
    const parts = [99, 1, 850, 50, 999];
    let before = 0;
    const back = parts.map(part => {
      const points = pointsBack({ paidMinor: 1_999, refundedBeforeMinor: before, totalMinor: part }, 'GBP');
      before += part;
      return points;
    });
    expect(back.every(points => points >= 0)).toBe(true);
    expect(back.reduce((sum, points) => sum + points, 0)).toBe(pointsFor(1_999, 'GBP'));
  });
});
