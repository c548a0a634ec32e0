import { describe, expect, it } from '@jest/globals';
import { Batcher } from './batcher.js';

describe('a batcher', () => {
  it('does together what is asked for at one moment, lane by lane, and answers each in its order', async () => {
    const batches: string[] = [];
    const batcher = new Batcher<number, number>(
      async (items, lane) => {
        batches.push(`${lane}: ${items.join(' ')}`);
        return items.map(item => item * 10);
      },
      { maxItems: 3, oneAtATime: true },
    );
    const results = await Promise.all([
      ...[1, 2, 3, 4].map(item => batcher.add(item, 'a')),
      batcher.add(5, 'b'),
    ]);
    expect(results).toEqual([10, 20, 30, 40, 50]);
    expect(batches.sort()).toEqual(['a: 1 2 3', 'a: 4', 'b: 5']);
    expect(batcher.size).toBe(0);
  });

  it('gathers while a batch is under way where one goes at a time, and does not wait for it otherwise', async () => {
    for (const oneAtATime of [true, false]) {
      const batches: number[][] = [];
      let release = () => {};
      let begun = () => {};
      const first = new Promise<void>(resolve => (begun = resolve));
      const batcher = new Batcher<number, number>(
        async items => {
          batches.push([...items]);
          if (items[0] === 1) {
            begun();
            await new Promise<void>(resolve => (release = resolve));
          }
          return items;
        },
        { maxItems: 10, oneAtATime },
      );
      const one = batcher.add(1);
      await first;
      const two = batcher.add(2);
      await new Promise(resolve => setImmediate(resolve));
      const three = batcher.add(3);
      await new Promise(resolve => setImmediate(resolve));
      release();
      expect(await Promise.all([one, two, three])).toEqual([1, 2, 3]);
      expect(batches).toEqual(oneAtATime ? [[1], [2, 3]] : [[1], [2], [3]]);
    }
  });

  it('cuts a batch by weight, and lets one that is too heavy go alone', async () => {
    const batches: number[][] = [];
    const batcher = new Batcher<number, void>(
      async items => {
        batches.push([...items]);
        return items.map(() => undefined);
      },
      { maxItems: 10, maxWeight: 10, weigh: item => item, oneAtATime: true },
    );
    await Promise.all([4, 6, 1, 50, 2].map(item => batcher.add(item)));
    expect(batches).toEqual([[4, 6], [1], [50], [2]]);
  });

  it('fails the items of a batch that fails, and no others; then it is settled', async () => {
    const batcher = new Batcher<number, number>(
      async items => {
        if (items[0] === 1) throw new Error('no');
        return items;
      },
      { maxItems: 1, oneAtATime: true },
    );
    const asked = Promise.allSettled([batcher.add(1), batcher.add(2)]);
    expect(batcher.size).toBe(2);
    await batcher.settled();
    const [one, two] = await asked;
    expect(one).toMatchObject({ status: 'rejected', reason: { message: 'no' } });
    expect(two).toEqual({ status: 'fulfilled', value: 2 });
  });
});
