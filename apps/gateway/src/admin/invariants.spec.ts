import { describe, expect, it } from '@jest/globals';
import { AUDITED, type Audited, type Facts } from '#contracts';
import type { SubscriptionState } from '#messaging';
import { invariantsOf, type Outside } from './invariants.js';

const SAME_SET = { count: 3, distinct: 3, checksum: '42' };
const OUTSIDE: Outside = {
  paymentsPaid: 3,
  minorPaid: 900,
  refunds: 3,
  minorRefunded: 300,
  callbacksWaiting: 0,
  sms: 12,
  webhooksPaid: 3,
  webhooksCancelled: 3,
};

/** Facts in which everything agrees. */
function agreeing(): Record<Audited, Facts> {
  const names = ['placed', 'paid', 'cancelled', 'refunded'];
  const known: Record<string, typeof SAME_SET> = Object.fromEntries(names.map(name => [name, SAME_SET]));
  const sets = new Proxy(known, { get: () => SAME_SET }) as Facts['sets'];
  const numbers: Record<string, number> = {
    stock: 10,
    initial: 10,
    available: 4,
    reserved: 3,
    sold: 3,
    'payments taken': 3,
    'refunds given': 3,
    'minor taken': 900,
    'minor given back': 300,
  };
  const figures = new Proxy({}, { get: (_, name: string) => numbers[name] ?? 0 }) as Facts['figures'];
  return Object.fromEntries(AUDITED.map(service => [service, { sets, figures }])) as unknown as Record<
    Audited,
    Facts
  >;
}

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
  outOfOrder: 0,
  dead: 0,
  paused: null,
  waiting: null,
  owners: [],
};

const broken = (facts: Record<Audited, Facts>, { outside = OUTSIDE, subscription = SUBSCRIPTION } = {}) =>
  invariantsOf(facts, [subscription], outside)
    .filter(each => !each.holds)
    .map(each => each.invariant);

describe('the audit', () => {
  it('is clean when everything agrees', () => {
    expect(broken(agreeing())).toEqual([]);
  });

  it.each<[string, Audited, string, Partial<typeof SAME_SET>]>([
    ['a lost one', 'points', 'awarded', { count: 2, distinct: 2 }],
    ['a doubled one', 'points', 'awarded', { count: 4, distinct: 3 }],
    ['one lost and another doubled', 'points', 'awarded', { distinct: 2 }],
    ['one taken for another', 'points', 'awarded', { checksum: '43' }],
  ])('finds %s', (_, service, set, difference) => {
    const facts = agreeing();
    facts[service] = {
      ...facts[service],
      sets: { ...facts[service].sets, [set]: { ...SAME_SET, ...difference }, reversed: SAME_SET },
    };
    expect(broken(facts)).toEqual(['every paid order has exactly one points entry']);
  });

  it('finds what was oversold, does not add up, or was seen otherwise outside', () => {
    const facts = agreeing();
    const figures = {
      stock: 10,
      available: 5,
      reserved: 3,
      sold: 3,
      oversold: 1,
      'limits broken': 0,
      'campaigns that do not add up': 0,
    };
    facts.seckill = { ...facts.seckill, figures };
    expect(broken(facts, { outside: { ...OUTSIDE, webhooksPaid: 4 } })).toEqual([
      'sold + reserved + available = stock, for every campaign',
      'campaigns oversold: 0',
      'the merchant has each paid order once',
    ]);
  });

  it('finds a message that was handled after a later one of its key', () => {
    const subscription = { ...SUBSCRIPTION, outOfOrder: 1 };
    expect(broken(agreeing(), { subscription })).toEqual([
      'events of each key in the order of their commits, for s',
    ]);
  });

  it('finds a message that is not accounted for', () => {
    expect(broken(agreeing(), { subscription: { ...SUBSCRIPTION, appended: 7 } })).toHaveLength(1);
  });
});
