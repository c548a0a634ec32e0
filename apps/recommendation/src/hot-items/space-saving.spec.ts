import { describe, expect, it } from '@jest/globals';
import { Random } from '../../../../test/chaos/random.js';
import { SpaceSaving, together } from './space-saving.js';

interface Seen {
  readonly key: string;
  readonly weight: number;
}

/** A stream whose first keys are far more frequent, as sales are. */
function stream(random: Random, length: number, keys: number): Seen[] {
  return Array.from({ length }, () => ({
    key: `k${Math.floor(keys * random.next() ** 4)}`,
    weight: 1 + Math.floor(random.next() * 5),
  }));
}

function exactly(seen: readonly Seen[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { key, weight } of seen) counts.set(key, (counts.get(key) ?? 0) + weight);
  return counts;
}

const CASES = Array.from({ length: 40 }, (_, seed) => ({
  seed,
  capacity: [1, 2, 7, 30, 200][seed % 5]!,
  keys: [3, 50, 1_000][seed % 3]!,
}));

describe.each(CASES)('counts of a stream (seed $seed, $capacity counters, $keys keys)', testCase => {
  const { seed, capacity, keys } = testCase;
  const seen = stream(new Random(seed), 3_000, keys);
  const counts = exactly(seen);
  const bound = [...counts.values()].reduce((sum, count) => sum + count, 0) / capacity;

  it('hold the true count between their bounds, which are within N / capacity', () => {
    const sketch = new SpaceSaving(capacity);
    for (const { key, weight } of seen) sketch.add(key, weight);
    expect(sketch.entries.length).toBeLessThanOrEqual(capacity);
    expect(sketch.floor).toBeLessThanOrEqual(bound);
    for (const [key, count] of counts) {
      const counter = sketch.get(key);
      if (counter === undefined) expect(count).toBeLessThanOrEqual(sketch.floor);
      else {
        expect(count).toBeLessThanOrEqual(counter.count);
        expect(count).toBeGreaterThanOrEqual(counter.count - counter.error);
        expect(counter.error).toBeLessThanOrEqual(bound);
      }
    }
  });

  it('hold it between those of several parts together, which are within the same bound', () => {
    const parts = Array.from({ length: 6 }, () => new SpaceSaving(capacity));
    const random = new Random(seed + 1_000);
    for (const { key, weight } of seen) random.pick(parts)!.add(key, weight);
    for (const { key, count, error } of together(parts)) {
      expect(counts.get(key)).toBeLessThanOrEqual(count);
      expect(counts.get(key)).toBeGreaterThanOrEqual(count - error);
      expect(error).toBeLessThanOrEqual(bound);
    }
    const counted = new Set(together(parts).map(({ key }) => key));
    for (const [key, count] of counts) if (count > bound) expect(counted).toContain(key);
  });

  it('are the same after they were stored and read', () => {
    const [stored, kept] = [new SpaceSaving(capacity), new SpaceSaving(capacity)];
    let read = stored;
    for (const { key, weight } of seen.slice(0, 500)) {
      read.add(key, weight);
      kept.add(key, weight);
      read = new SpaceSaving(capacity, JSON.parse(JSON.stringify(read.entries)) as never);
    }
    expect(read.entries).toEqual(kept.entries);
  });
});
