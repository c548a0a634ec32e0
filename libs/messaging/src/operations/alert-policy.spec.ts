import { describe, expect, it } from '@jest/globals';
import {
  type AlertKind,
  type AlertLimits,
  decideAlerts,
  readingsOf,
  type WatchedState,
} from './alert-policy.js';
import { DEFAULT_CONSUMER_LIMITS } from '../consumer/settlement.js';
import { DEFAULT_ALERTS } from '../consumer/subscription.js';
import { DEFAULT_ALERT_LIMITS } from './alert-watch.js';
import type { SubscriptionState } from './states.js';

const AT = new Date('2026-01-01T00:01:00Z');
const LIMITS: AlertLimits = { parked: 50, waitingMs: 10_000, outbox: 1_000, outboxAgeMs: 30_000 };
const EMPTY = { depth: 0, oldestAt: null, refused: 0 };
const QUIET: SubscriptionState = {
  name: 's.follow',
  topics: ['t'],
  lag: 0,
  oldestAt: null,
  appended: 0,
  handled: 0,
  skipped: 0,
  duplicate: 0,
  parked: 0,
  dead: 0,
  discarded: 0,
  lost: 0,
  outOfOrder: null,
  paused: null,
  waiting: null,
  owners: [],
};

const policy = { ...DEFAULT_ALERTS, lag: 100, ageMs: 30_000 };
const readings = (state: Partial<SubscriptionState>, outbox: Partial<WatchedState['outbox']> = {}) =>
  readingsOf(
    's',
    { subscriptions: [{ ...QUIET, ...state }], outbox: { ...EMPTY, ...outbox } },
    () => policy,
    LIMITS,
    AT,
  );
const raised = (state: Partial<SubscriptionState>, outbox: Partial<WatchedState['outbox']> = {}) =>
  decideAlerts([], readings(state, outbox)).raise.map(({ kind, subject }) => `${kind} ${subject}`);

describe('an alert', () => {
  it('is not raised for what is within its limits', () => {
    expect(raised({ lag: 99, oldestAt: '2026-01-01T00:00:31Z', parked: 49 }, { depth: 999 })).toEqual([]);
  });

  it.each<[AlertKind, Partial<SubscriptionState>]>([
    ['lag', { lag: 100 }],
    ['age', { oldestAt: '2026-01-01T00:00:30Z' }],
    ['parked', { parked: 50 }],
    ['dead', { dead: 1 }],
    ['lost', { lost: 1 }],
    ['waiting', { waiting: { since: '2026-01-01T00:00:50Z', reason: 'away' } }],
  ])('is raised for %s', (kind, state) => {
    expect(raised(state)).toEqual([`${kind} s.follow`]);
  });

  it('comes before the limit at which a subscription waits', () => {
    expect(DEFAULT_ALERT_LIMITS.parked).toBeLessThan(DEFAULT_CONSUMER_LIMITS.parked);
  });

  it('is raised for an outbox that is not emptied', () => {
    expect(raised({}, { depth: 1_000 })).toEqual(['outbox s.outbox']);
  });

  it('is raised for a single event that is not sent, and for one that the queue refused', () => {
    expect(raised({}, { depth: 1, oldestAt: '2026-01-01T00:00:30Z' })).toEqual(['age s.outbox']);
    expect(raised({}, { refused: 1 })).toEqual(['dead s.outbox']);
  });

  it('is raised once, and cleared when the figure is down to half', () => {
    const open = [{ id: '1', subject: 's.follow', kind: 'lag' as const, value: 200 }];
    const after = (lag: number) => decideAlerts(open, readings({ lag }));
    expect(after(200)).toEqual({ raise: [], clear: [], update: [] });
    expect(after(51)).toMatchObject({ raise: [], clear: [], update: [{ kind: 'lag', value: 51 }] });
    expect(after(50)).toEqual({ raise: [], clear: open, update: [] });
  });

  it('is cleared when its subscription is no more', () => {
    const open = [{ id: '1', subject: 's.gone', kind: 'lag' as const, value: 200 }];
    expect(decideAlerts(open, readings({})).clear).toEqual(open);
  });

  it('is neither raised nor cleared for what the queue cannot tell now, and for the rest it is', () => {
    const open = [{ id: '1', subject: 's.follow', kind: 'lag' as const, value: 200 }];
    const away = { ...QUIET, lag: undefined, oldestAt: undefined, parked: 50 };
    const read = readingsOf('s', { subscriptions: [away], outbox: EMPTY }, () => policy, LIMITS, AT);
    expect(decideAlerts(open, read)).toMatchObject({ raise: [{ kind: 'parked' }], clear: [] });
  });
});
