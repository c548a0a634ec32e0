import { describe, expect, it } from '@jest/globals';
import { ClickRate } from './click-rate.js';
import { type CampaignState, type DatedClick, decide } from './decide.js';

const RUNNING: CampaignState = {
  now: 1_000,
  available: 3,
  perUserLimit: 2,
  phase: 'running',
  tallies: new Map(),
  blocked: new Set(),
  recent: new Map(),
  maxRecent: 10,
  reservedBefore: new Set(),
};

const click = (buyerId: string, quantity = 1, reservationId = `${buyerId}-${Math.random()}`): DatedClick => ({
  deadline: Infinity,
  reservationId,
  orderId: reservationId,
  buyerId,
  quantity,
});

describe('decide', () => {
  it('gives what is left in the order of the clicks', () => {
    const clicks = ['ann', 'ben', 'cid', 'dora'].map(buyer => click(buyer));
    expect(decide(RUNNING, clicks)).toEqual(['reserved', 'reserved', 'reserved', 'sold_out']);
  });

  it('counts a buyer’s earlier clicks of the same batch, and what the buyer has already', () => {
    expect(decide(RUNNING, [click('ann'), click('ann'), click('ann')])).toEqual([
      'reserved',
      'reserved',
      'limit_reached',
    ]);
    expect(decide({ ...RUNNING, tallies: new Map([['ann', 2]]) }, [click('ann')])).toEqual(['limit_reached']);
  });

  it('refuses a quantity that is not there and still serves a smaller one after it', () => {
    expect(decide({ ...RUNNING, available: 1 }, [click('ann', 2), click('ben', 1)])).toEqual([
      'sold_out',
      'reserved',
    ]);
  });

  it('says when a campaign is not running, but stands by what was decided before', () => {
    expect(decide({ ...RUNNING, phase: 'not_started' }, [click('ann')])).toEqual(['not_started']);
    const ended = { ...RUNNING, phase: 'ended' as const, reservedBefore: new Set(['won']) };
    expect(decide(ended, [click('ann', 1, 'won'), click('ben')])).toEqual(['reserved', 'ended']);
  });
});

describe('a click whose deadline has come', () => {
  it('is dropped, and takes nothing from those after it, unless it was decided before', () => {
    const late = (buyerId: string, reservationId?: string) => ({
      ...click(buyerId, 1, reservationId),
      deadline: RUNNING.now,
    });
    const state = { ...RUNNING, available: 1, reservedBefore: new Set(['won']) };
    expect(decide(state, [late('ann'), late('ben', 'won'), click('cid')])).toEqual([
      'expired',
      'reserved',
      'reserved',
    ]);
  });
});

describe('ClickRate', () => {
  it('allows a buyer so many clicks in a window, and again after it', () => {
    const rate = new ClickRate(3, 1_000);
    expect([0, 1, 2, 3].map(at => rate.allow('ann', at))).toEqual([true, true, true, false]);
    expect(rate.allow('ben', 3)).toBe(true);
    expect(rate.allow('ann', 2_500)).toBe(true);
  });
});
