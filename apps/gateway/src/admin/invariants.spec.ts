import { describe, expect, it } from '@jest/globals';
import {
  type AuditReport,
  defineFacts,
  equal,
  seenOutside,
  type IdSet,
  type Invariant,
  sameSet,
  sum,
  zero,
} from '#contracts';
import type { SubscriptionState } from '#messaging';
import { isQuiet, judgeAll, judgeSubscription } from './invariants.js';

const Shop = defineFacts('shop', { paid: 'set', minor: 'number', off: 'number', a: 'number', b: 'number' });
const Bank = defineFacts('bank', { seen: 'set', minor: 'number', waiting: 'number' });
const THREE: IdSet = { count: 3, distinct: 3, checksum: '42' };

const INVARIANTS: Invariant[] = [
  sameSet('every payment is seen once', Shop.paid, Bank.seen),
  equal('the money agrees', Shop.minor, Bank.minor),
  seenOutside('the bank agrees', Shop.minor, Bank.minor),
  zero('nothing is off', Shop.off),
  sum('the parts make the whole', [Shop.a, Shop.b], Shop.minor),
];

/** Reports in which everything agrees, except for what a test changes. */
function reports(
  shop: Record<string, number> = {},
  seen: Partial<IdSet> = {},
  bank: Record<string, number> = {},
): Map<string, AuditReport> {
  return new Map<string, AuditReport>([
    [
      'shop',
      {
        sets: { paid: THREE },
        numbers: { minor: 900, off: 0, a: 300, b: 600, ...shop },
        invariants: INVARIANTS,
        onTheWay: [],
      },
    ],
    [
      'bank',
      {
        sets: { seen: { ...THREE, ...seen } },
        numbers: { minor: 900, waiting: 0, ...bank },
        invariants: [],
        onTheWay: [Bank.waiting],
      },
    ],
  ]);
}

const broken = (all: Map<string, AuditReport>) =>
  judgeAll(all)
    .filter(each => !each.holds)
    .map(each => each.invariant);

const SUBSCRIPTION: SubscriptionState = {
  name: 's',
  topics: ['t'],
  lag: 0,
  oldestAt: null,
  appended: 6,
  handled: 3,
  skipped: 1,
  duplicate: 2,
  parked: 0,
  discarded: 0,
  lost: 0,
  outOfOrder: 0,
  dead: 0,
  paused: null,
  waiting: null,
  owners: [],
};

describe('the audit', () => {
  it('is clean when everything agrees, and tells the figures', () => {
    expect(broken(reports())).toEqual([]);
    expect(judgeAll(reports()).map(each => each.figures)).toEqual([
      { 'shop: paid': 3, 'bank: seen': 3 },
      { 'shop: minor': 900, 'bank: minor': 900 },
      { 'the shop': 900, outside: 900 },
      { off: 0 },
      { a: 300, b: 600, minor: 900 },
    ]);
  });

  it.each<[string, Partial<IdSet>]>([
    ['a lost one', { count: 2, distinct: 2 }],
    ['a doubled one', { count: 4, distinct: 3 }],
    ['one lost and another doubled', { distinct: 2 }],
    ['one taken for another', { checksum: '43' }],
  ])('finds %s', (_, difference) => {
    expect(broken(reports({}, difference))).toEqual(['every payment is seen once']);
  });

  it('finds a figure that differs, one that is not zero, and parts that do not add up', () => {
    expect(broken(reports({}, {}, { minor: 899 }))).toEqual(['the money agrees', 'the bank agrees']);
    expect(broken(reports({ off: 1 }))).toEqual(['nothing is off']);
    expect(broken(reports({ a: 299 }))).toEqual(['the parts make the whole']);
  });

  it('does not take for granted what a service that is away knows, and judges the rest', () => {
    const all = reports();
    all.delete('bank');
    const judged = judgeAll(all);
    expect(judged.filter(each => each.unknown !== undefined)).toEqual([
      {
        invariant: 'every payment is seen once',
        holds: false,
        figures: { 'shop: paid': 3 },
        unknown: ['bank'],
      },
      { invariant: 'the money agrees', holds: false, figures: { 'shop: minor': 900 }, unknown: ['bank'] },
      { invariant: 'the bank agrees', holds: false, figures: { 'the shop': 900 }, unknown: ['bank'] },
    ]);
    expect(judged.filter(each => each.holds)).toHaveLength(2);
  });

  it('does not count as settled while a service has something on its way', () => {
    expect(isQuiet(reports())).toBe(true);
    expect(isQuiet(reports({}, {}, { waiting: 1 }))).toBe(false);
  });

  it('finds a message that was handled after a later one of its key, and one that is not accounted for', () => {
    const of = (state: Partial<SubscriptionState>) =>
      judgeSubscription({ ...SUBSCRIPTION, ...state }).filter(each => !each.holds);
    expect(of({})).toEqual([]);
    expect(of({ outOfOrder: 1 })).toMatchObject([
      { invariant: 'events of each key in the order of their commits, for s' },
    ]);
    expect(of({ appended: 7 })).toHaveLength(1);
  });
});
