import { describe, expect, it } from '@jest/globals';
import type { TopicPartition } from '#messaging';
import { assign } from './assignor.js';

const partitionsOf = (count: number): TopicPartition[] =>
  Array.from({ length: count }, (_, partition) => ({ topic: 't', partition }));
const member = (memberId: string, owned: TopicPartition[] = []) => ({ memberId, topics: ['t'], owned });
const sizes = (shares: Map<string, TopicPartition[]>) =>
  [...shares.values()].map(share => share.length).sort();

describe('the assignment of partitions', () => {
  it('gives every partition to one member and no member more than one above another', () => {
    for (const [partitions, members] of [
      [4, 1],
      [4, 3],
      [7, 3],
      [2, 5],
    ] as const) {
      const shares = assign(
        partitionsOf(partitions),
        Array.from({ length: members }, (_, n) => member(`m${n}`)),
      );
      const given = [...shares.values()].flat().map(each => each.partition);
      expect(given.sort()).toEqual(partitionsOf(partitions).map(each => each.partition));
      expect(Math.max(...sizes(shares)) - Math.min(...sizes(shares))).toBeLessThanOrEqual(1);
    }
  });

  it('moves no more than it must when a member joins', () => {
    const all = partitionsOf(5);
    const shares = assign(all, [member('old', all), member('new')]);
    expect(shares.get('old')).toEqual(all.slice(0, 3));
    expect(shares.get('new')).toEqual(all.slice(3));
  });

  it('gives nothing of a topic to a member that does not know it', () => {
    const other = { topic: 'other', partition: 0 };
    const newer = { memberId: 'newer', topics: ['t', 'other'], owned: [] };
    const shares = assign([...partitionsOf(2), other], [member('older', [other]), newer]);
    expect(shares.get('newer')).toContainEqual(other);
    expect(assign([other], [member('older')]).get('older')).toEqual([]);
  });

  it('gives a partition that two members claim to one of them', () => {
    const all = partitionsOf(2);
    const shares = assign(all, [member('a', all), member('b', all)]);
    expect([...shares.values()].flat()).toHaveLength(2);
    expect(sizes(shares)).toEqual([1, 1]);
  });
});
