import { describe, expect, it } from '@jest/globals';
import { SoldOutCampaigns } from './sold-out.js';

/** Every order of the items. */
function ordersOf<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) => ordersOf(items.filter((_, n) => n !== at)).map(rest => [item, ...rest]));
}

describe('campaigns known to be sold out', () => {
  it('are those that run and have nothing left, by the latest news', () => {
    const campaigns = new SoldOutCampaigns();
    expect(campaigns.has('a', 0)).toBe(false);
    campaigns.learn('a', 2, 1_000, 0);
    expect(campaigns.has('a', 999)).toBe(true);
    campaigns.learn('a', 1, 0, 0);
    expect(campaigns.has('a', 999)).toBe(true);
    campaigns.learn('a', 3, 0, 0);
    expect(campaigns.has('a', 999)).toBe(false);
  });

  it.each([
    ['sold out', [0, 1_000, 0, 1_000]],
    ['restocked', [1_000, 0, 1_000, 0]],
  ])('are told by the latest news, %s, in whatever order news and their copies come', (last, untils) => {
    const news = untils.map((soldOutUntil, version) => ({ version, soldOutUntil }));
    for (const copy of news)
      for (const order of ordersOf([...news, copy])) {
        const campaigns = new SoldOutCampaigns();
        for (const { version, soldOutUntil } of order) campaigns.learn('a', version, soldOutUntil, 0);
        expect(campaigns.has('a', 0)).toBe(last === 'sold out');
      }
  });

  it('are asked about again when they are over', () => {
    const campaigns = new SoldOutCampaigns();
    campaigns.learn('a', 1, 1_000, 0);
    expect(campaigns.has('a', 1_000)).toBe(false);
  });

  it('are asked about by one click every 30 seconds, in case a restock was not heard of', () => {
    const campaigns = new SoldOutCampaigns();
    campaigns.learn('a', 1, 1_000_000, 0);
    expect(campaigns.has('a', 29_999)).toBe(true);
    expect(campaigns.has('a', 30_000)).toBe(false);
    expect(campaigns.has('a', 30_000)).toBe(true);
    // The answer of the same version renews it; one of a later version opens the door.
    campaigns.learn('a', 1, 1_000_000, 40_000);
    expect(campaigns.has('a', 69_999)).toBe(true);
    campaigns.learn('a', 2, 0, 69_999);
    expect(campaigns.has('a', 69_999)).toBe(false);
  });
});
