/** How often a key was seen: at least `count - error` times, at most `count` times. */
export interface Counter {
  readonly key: string;
  readonly count: number;
  readonly error: number;
}

/**
 * Counts the most frequent keys of a stream in bounded memory: the Space-Saving algorithm (Metwally, Agrawal and
 * El Abbadi, Efficient Computation of Frequent and Top-k Elements in Data Streams, ICDT 2005), with weights.
 *
 * With `capacity` counters, after keys of a total weight N:
 * - a counted key has been seen at least `count - error` and at most `count` times, with `error` ≤ N / capacity;
 * - a key that is not counted has been seen at most `floor` ≤ N / capacity times;
 * - so every key that was seen more than N / capacity times is counted.
 */
export class SpaceSaving {
  private readonly counters: Map<string, Counter>;

  constructor(
    readonly capacity: number,
    counters: readonly Counter[] = [],
  ) {
    this.counters = new Map(counters.map(counter => [counter.key, counter]));
  }

  /** Takes O(capacity) when the key is new and all counters are taken. */
  add(key: string, weight: number): void {
    const known = this.counters.get(key);
    if (known !== undefined) {
      this.counters.set(key, { ...known, count: known.count + weight });
      return;
    }
    // The new key takes the place of the smallest, and may have been seen as often before without being counted.
    const { floor } = this;
    if (this.counters.size >= this.capacity) this.counters.delete(this.smallest().key);
    this.counters.set(key, { key, count: floor + weight, error: floor });
  }

  get(key: string): Counter | undefined {
    return this.counters.get(key);
  }

  /** The most that a key which is not counted can have been seen. */
  get floor(): number {
    return this.counters.size < this.capacity ? 0 : this.smallest().count;
  }

  get entries(): readonly Counter[] {
    return [...this.counters.values()];
  }

  private smallest(): Counter {
    let smallest: Counter | undefined;
    for (const counter of this.counters.values())
      if (smallest === undefined || counter.count < smallest.count) smallest = counter;
    return smallest!;
  }
}

/**
 * The keys of several streams together, with the errors of all of them: at most N / capacity for a total weight N. The
 * streams must not share an event. See Agarwal et al., Mergeable Summaries, PODS 2012; nothing is cut here, so that the
 * bound stays that of one summary.
 */
export function together(summaries: readonly SpaceSaving[]): Counter[] {
  const keys = new Set(summaries.flatMap(({ entries }) => entries.map(({ key }) => key)));
  return [...keys].map(key => {
    let [count, error] = [0, 0];
    for (const summary of summaries) {
      const counter = summary.get(key) ?? { count: summary.floor, error: summary.floor };
      count += counter.count;
      error += counter.error;
    }
    return { key, count, error };
  });
}
