import { describe, expect, it } from '@jest/globals';
import { rankByRendezvous } from './rendezvous.js';

const instances = (count: number) => Array.from({ length: count }, (_, n) => `10.0.0.${n}:4000`);
const KEYS = Array.from({ length: 4_000 }, (_, n) => `campaign-${n}`);
const firstOf = (key: string, among: readonly string[]) => rankByRendezvous(key, among)[0];

describe.each([1, 2, 3, 5, 8])('rendezvous hashing over %d instances', count => {
  const all = instances(count);
  const added = '10.0.1.0:4000';

  it('ranks the same whatever order the instances are listed in', () => {
    for (const key of KEYS.slice(0, 100))
      expect(rankByRendezvous(key, [...all].reverse())).toEqual(rankByRendezvous(key, all));
  });

  it('moves exactly the keys of an instance that goes, each to the next of its ranking', () => {
    for (const gone of all.slice(0, count - 1)) {
      const left = all.filter(each => each !== gone);
      for (const key of KEYS) {
        const [first, second] = rankByRendezvous(key, all);
        expect(firstOf(key, left)).toBe(first === gone ? second : first);
      }
    }
  });

  it('moves about 1/(n + 1) of the keys when an instance comes, all of them to that one', () => {
    const moved = KEYS.filter(key => firstOf(key, all) !== firstOf(key, [...all, added]));
    expect(moved.filter(key => firstOf(key, [...all, added]) !== added)).toEqual([]);
    const share = 1 / (count + 1);
    // Five standard deviations of a binomial count: the keys are fixed, so that this does not vary.
    const allowed = 5 * Math.sqrt(KEYS.length * share * (1 - share));
    expect(Math.abs(moved.length - KEYS.length * share)).toBeLessThan(allowed);
  });

  it('spreads the keys evenly', () => {
    const share = 1 / count;
    const allowed = 5 * Math.sqrt(KEYS.length * share * (1 - share));
    for (const instance of all) {
      const own = KEYS.filter(key => firstOf(key, all) === instance).length;
      expect(Math.abs(own - KEYS.length * share)).toBeLessThanOrEqual(allowed);
    }
  });
});
