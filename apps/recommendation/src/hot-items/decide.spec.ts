import { describe, expect, it } from '@jest/globals';
import type { HotItem } from '#contracts';
import { decideHot, type HotPolicy } from './decide.js';
import type { Counter } from './space-saving.js';

const POLICY: HotPolicy = { enter: 100, leave: 40, minStayMs: 1_000, most: 3 };

const points = (key: string, count: number, error = 0): Counter => ({ key, count, error });
const skus = (items: readonly HotItem[]) => items.map(({ sku }) => sku);

/** Decides at one moment after another, each from what was hot before. */
function follow(...moments: readonly (readonly [at: number, ...Counter[]])[]) {
  let hot: readonly HotItem[] = [];
  return moments.map(([at, ...counters]) => {
    const decision = decideHot(hot, counters, at, POLICY);
    ({ hot } = decision);
    return decision;
  });
}

describe('a product', () => {
  it('becomes hot at the upper threshold and cools down below the lower one, not between them', () => {
    const states = follow(
      [0, points('a', 99)],
      [1, points('a', 100)],
      [5_000, points('a', 99)],
      [5_001, points('a', 40)],
      [5_002, points('a', 39)],
      [5_003, points('a', 99)],
      [5_004, points('a', 100)],
    );
    expect(states.map(({ hot }) => skus(hot))).toEqual([[], ['a'], ['a'], ['a'], [], [], ['a']]);
    expect(states.map(({ cooled }) => cooled)).toEqual([[], [], [], [], ['a'], [], []]);
    expect(states.map(({ changed }) => changed)).toEqual([false, true, false, false, true, false, true]);
  });

  it('stays hot for its least time, also when nobody looks at it any more', () => {
    const states = follow([0, points('a', 100)], [999], [1_000]);
    expect(states.map(({ hot }) => skus(hot))).toEqual([['a'], ['a'], []]);
    expect(states[1]!.hot).toEqual([{ sku: 'a', since: '1970-01-01T00:00:00.000Z', count: 0, error: 0 }]);
  });

  it('is hot by what it certainly has, however much it may have', () => {
    const states = follow(
      [0, points('a', 150, 51)],
      [1, points('a', 150, 50)],
      [5_000, points('a', 90, 50)],
      [5_001, points('a', 90, 51)],
    );
    expect(states.map(({ hot }) => skus(hot))).toEqual([[], ['a'], ['a'], []]);
  });

  it('that is hot keeps its place: hotter ones wait for room, and the hottest of them comes first', () => {
    const warm = [points('a', 101), points('b', 102), points('c', 103)];
    const states = follow(
      [0, ...warm],
      [1, ...warm, points('d', 900), points('e', 500)],
      [5_000, points('b', 102), points('c', 103), points('d', 900), points('e', 500)],
    );
    expect(states.map(({ hot }) => skus(hot))).toEqual([
      ['c', 'b', 'a'],
      ['c', 'b', 'a'],
      ['d', 'c', 'b'],
    ]);
    expect(states[2]!.cooled).toEqual(['a']);
  });
});
