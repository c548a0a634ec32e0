import { describe, expect, it } from '@jest/globals';
import { restFor } from './yielding.js';

const WORKED_MS = 4;
const used = (all: number, others: number) => restFor(WORKED_MS, { all, others });

describe('background work', () => {
  it('takes all of an idle machine', () => {
    expect(used(0.5, 0.5)).toEqual({ gather: 0, yielding: 0 });
  });

  it('gathers batches on a machine with work to do, and the longer the more there is', () => {
    expect(used(0.65, 0.1).gather).toBeCloseTo(2);
    expect(used(0.8, 0.1)).toEqual({ gather: 4, yielding: 0 });
    expect(restFor(1_000, { all: 1, others: 0 }).gather).toBe(8);
  });

  it('yields a machine that others want, and minds no process of low priority', () => {
    expect(used(1, 0.65).yielding).toBe(0);
    expect(used(1, 0.725).yielding).toBeCloseTo(10);
    expect(used(1, 0.8).yielding).toBe(20);
  });
});
