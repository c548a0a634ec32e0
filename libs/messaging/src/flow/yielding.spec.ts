import { describe, expect, it } from '@jest/globals';
import { restFor } from './yielding.js';

describe('background work', () => {
  it('takes all of an idle machine', () => {
    expect(restFor(100, 1)).toBe(0);
    expect(restFor(100, 0.3)).toBe(0);
  });

  it('takes a sixth of a busy one, and in between the less the busier it is', () => {
    expect(restFor(50, 0)).toBe(250);
    expect(restFor(50, 0.05)).toBe(250);
    expect(restFor(50, 0.175)).toBeCloseTo(125);
  });
});
