import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { adaptRate } from './adaptive-rate.js';

const BOUNDS = { min: 10, max: 1_000 };

/** Seconds of a backend that completes so many calls a second, and of more demand than that. */
function follow(seconds: number, completesAt: (second: number) => number, demand = Infinity) {
  let rate = BOUNDS.min;
  const completed: number[] = [];
  for (let second = 0; second < seconds; second += 1) {
    const admitted = Math.min(rate, demand);
    completed.push(Math.min(admitted, completesAt(second)));
    const overloaded = admitted - completed.at(-1)!;
    rate = adaptRate(BOUNDS, rate, { admitted, completed: completed.at(-1)!, overloaded }, 1_000);
  }
  const last = completed.slice(-20);
  return { rate, completed: last.reduce((sum, each) => sum + each, 0) / last.length };
}

describe('an adaptive rate', () => {
  it('comes close to what the backend completes, and stays there', () => {
    for (const capable of [60, 200, 800]) {
      const { rate, completed } = follow(100, () => capable);
      expect(completed).toBeGreaterThan(0.75 * capable);
      expect(rate).toBeLessThan(1.3 * capable + 0.1 * BOUNDS.max);
    }
  });

  it('follows a backend that becomes slower, and one that recovers', () => {
    expect(follow(100, second => (second < 50 ? 800 : 100)).rate).toBeLessThan(200);
    expect(follow(100, second => (second < 50 ? 100 : 800)).completed).toBeGreaterThan(600);
  });

  it('does not rise while demand does not use it', () => {
    expect(follow(100, () => 1_000, 50).rate).toBeLessThan(50 / 0.8 + 0.05 * BOUNDS.max);
  });

  it('stays within its bounds, whatever was seen', () => {
    const count = fc.nat(100_000);
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 1e6, noNaN: true }),
        count,
        count,
        count,
        fc.integer({ min: 1, max: 10_000 }),
        (rate, admitted, completed, overloaded, elapsedMs) => {
          const next = adaptRate(BOUNDS, rate, { admitted, completed, overloaded }, elapsedMs);
          expect(next).toBeGreaterThanOrEqual(BOUNDS.min);
          expect(next).toBeLessThanOrEqual(BOUNDS.max);
        },
      ),
    );
  });
});
