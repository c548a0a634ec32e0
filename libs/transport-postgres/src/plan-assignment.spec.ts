import { describe, expect, it } from '@jest/globals';
import { planAssignment } from './plan-assignment.js';

const partitionsOf = (topic: string, count: number) =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition }));

describe('the plan of who reads which partitions', () => {
  it('gives each its share, and every partition an owner', () => {
    const members = ['a', 'b', 'c'].map(instance => ({ instance, topics: ['t'] }));
    const plan = planAssignment('g', members, partitionsOf('t', 7));
    expect(Math.max(...[...plan.values()].map(({ length }) => length))).toBe(3);
    expect([...plan.values()].flat()).toHaveLength(7);
  });

  it('gives a topic to those alone who subscribe to it, and takes members of an earlier version for all', () => {
    const members = [
      { instance: 'old', topics: ['t'] },
      { instance: 'new', topics: ['t', 'u'] },
      { instance: 'ancient', topics: null },
    ];
    const plan = planAssignment('g', members, [...partitionsOf('t', 3), ...partitionsOf('u', 4)]);
    const of = (instance: string, topic: string) =>
      plan.get(instance)?.filter(each => each.topic === topic).length;
    expect(['old', 'new', 'ancient'].map(instance => of(instance, 't'))).toEqual([1, 1, 1]);
    expect(['old', 'new', 'ancient'].map(instance => of(instance, 'u'))).toEqual([0, 2, 2]);
  });

  it('leaves a topic alone that nobody subscribes to any more', () => {
    const plan = planAssignment('g', [{ instance: 'a', topics: ['t'] }], partitionsOf('gone', 2));
    expect(plan.size).toBe(0);
  });
});
