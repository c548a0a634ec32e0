import { describe, expect, it } from '@jest/globals';
import { Header } from '../message/envelope.js';
import type { ReceivedMessage } from '../message/received-message.js';
import { planProbe } from './outage-probe.js';

const message = (key: string, type = 'a'): ReceivedMessage => ({
  topic: 'test',
  key,
  headers: { [Header.type]: type },
  payload: Buffer.alloc(0),
  position: 1,
  appendedAt: new Date(0),
});
const suspectsOf = (keys: string[], round: number) =>
  [
    ...planProbe(
      keys.map(key => message(key)),
      round,
    ).suspects,
  ].join('');

describe('a probe for an outage', () => {
  it('suspects the first key, then twice as many in each round while a witness is left, then the first again', () => {
    const keys = ['p', 'p', 'q', 'r', 's', 't'];
    expect([1, 2, 3, 4].map(round => suspectsOf(keys, round))).toEqual(['p', 'pq', 'pqrs', 'p']);
    expect(
      planProbe(
        keys.map(key => message(key)),
        3,
      ).witnesses,
    ).toEqual([5]);
  });

  it('has no witness where there is one key, and any number of rounds', () => {
    for (const round of [1, 2, 50]) {
      expect(planProbe([message('p'), message('p')], round)).toEqual({
        suspects: new Set(['p']),
        witnesses: [],
      });
    }
  });

  it('takes messages of the same type as witnesses, and others only where there are none', () => {
    expect(planProbe([message('p'), message('q', 'b'), message('r')], 1).witnesses).toEqual([2]);
    expect(planProbe([message('p'), message('q', 'b'), message('p', 'b')], 1).witnesses).toEqual([1]);
  });
});
