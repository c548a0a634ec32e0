import { describe, expect, it } from '@jest/globals';
import { rankByRendezvous } from '#messaging';
import { OUTLIER_LIMITS, OutlierDetection } from './outlier-detection.js';

const KEYS = Array.from({ length: 1_000 }, (_, n) => `campaign-${n}`);
const { failures, pauseMs, longestPauseMs } = OUTLIER_LIMITS;

function setUp(count: number) {
  const all = Array.from({ length: count }, (_, n) => `10.0.0.${n}:4000`);
  const outliers = new OutlierDetection();
  const fail = (address: string, times = failures) =>
    Array.from({ length: times }, () => outliers.failed(address, all)).at(-1);
  const firstOf = (key: string) => outliers.rank(rankByRendezvous(key, all))[0];
  return { all, outliers, fail, firstOf };
}

describe('an instance that does not answer', () => {
  it.each([2, 3, 5, 8])('of %d is as absent to every key, and gets exactly its keys back', count => {
    const { all, outliers, fail, firstOf } = setUp(count);
    for (const silent of all) {
      const before = KEYS.map(firstOf);
      expect(fail(silent)).toBe(pauseMs);
      const without = all.filter(each => each !== silent);
      expect(KEYS.map(firstOf)).toEqual(KEYS.map(key => rankByRendezvous(key, without)[0]));
      expect(outliers.answered(silent)).toBe(true);
      expect(KEYS.map(firstOf)).toEqual(before);
    }
  });

  it('is ejected after failures in a row, which one answer ends', () => {
    const { all, outliers, fail } = setUp(3);
    fail(all[0]!, failures - 1);
    outliers.answered(all[0]!);
    fail(all[0]!, failures - 1);
    expect(outliers.isEjected(all[0]!)).toBe(false);
    expect(fail(all[0]!, 1)).toBe(pauseMs);
    expect(outliers.isEjected(all[0]!)).toBe(true);
  });

  it('is ranked last, and is still there for when the others fail too', () => {
    const { all, outliers, fail } = setUp(3);
    fail(all[0]!);
    for (const key of KEYS.slice(0, 50)) {
      const ranked = rankByRendezvous(key, all);
      expect(outliers.rank(ranked)).toEqual([...ranked.filter(each => each !== all[0]), all[0]]);
    }
  });

  it.each([
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 2],
    [9, 4],
  ])('of %d that are all silent is one of at most %d that are ejected', (count, most) => {
    const { all, outliers, fail } = setUp(count);
    for (const each of all) fail(each);
    expect(all.filter(each => outliers.isEjected(each))).toHaveLength(most);
    if (most === 0) return;
    // Room again: the next failure of another takes it.
    outliers.answered(all[0]!);
    expect(fail(all.at(-1)!, 1)).toBe(pauseMs);
  });

  it('is forgotten when too many are suspected, and never suspected if it is no instance of the service', () => {
    const { all, outliers, fail } = setUp(2_004);
    fail('10.9.9.9:4000');
    expect(outliers.isEjected('10.9.9.9:4000')).toBe(false);
    for (const each of all.slice(0, 1_000)) fail(each);
    expect(outliers.isEjected(all[0]!)).toBe(true);
    fail(all[1_000]!);
    expect([all[0]!, all[1]!, all[1_000]!].map(each => outliers.isEjected(each))).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('is probed after pauses that double up to a limit, and begin with the shortest after an answer', () => {
    const { all, outliers, fail } = setUp(2);
    const pauses = [fail(all[0]!), ...Array.from({ length: 8 }, () => outliers.probeFailed(all[0]!))];
    const doubled = pauses.map((_, n) => Math.min(pauseMs * 2 ** n, longestPauseMs));
    expect(pauses).toEqual(doubled);
    outliers.answered(all[0]!);
    expect(fail(all[0]!)).toBe(pauseMs);
  });
});
