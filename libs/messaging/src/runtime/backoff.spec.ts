import { describe, expect, it } from '@jest/globals';
import { pauseAfter } from './backoff.js';

describe('a pause after failures', () => {
  it('doubles with each, up to the longest, half of it by chance', () => {
    const backoff = { firstMs: 200, longestMs: 60_000 };
    const pauses = (random: number) => [1, 2, 3, 20, 2_000].map(n => pauseAfter(n, backoff, random));
    expect(pauses(1)).toEqual([200, 400, 800, 60_000, 60_000]);
    expect(pauses(0)).toEqual([100, 200, 400, 30_000, 30_000]);
  });
});
