import { describe, expect, it } from '@jest/globals';
import { untilNext } from './until-next.js';

describe('the time until the next regular moment', () => {
  it('ends at the same moment for everyone', () => {
    const ends = [0, 1, 999, 1_000.7, 1_999].map(now => Math.floor(now) + untilNext(2_000, now));
    expect(new Set(ends)).toEqual(new Set([2_000]));
  });

  it('is never nothing, and never longer than the period, whatever the clock says', () => {
    for (const now of [0, 2_000, 4_000.5, 1_795_663_884_163])
      for (const every of [50, 2_000, 2_000 / 3]) {
        expect(untilNext(every, now)).toBeGreaterThan(0);
        expect(untilNext(every, now)).toBeLessThanOrEqual(every);
      }
  });
});
