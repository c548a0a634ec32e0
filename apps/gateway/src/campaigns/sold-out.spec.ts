import { describe, expect, it } from '@jest/globals';
import { SoldOutCampaigns } from './sold-out.js';

describe('campaigns known to be sold out', () => {
  it('are those that run and have nothing left, by the latest news', () => {
    const campaigns = new SoldOutCampaigns();
    expect(campaigns.has('a', 0)).toBe(false);
    campaigns.learn('a', 2, 1_000);
    expect(campaigns.has('a', 999)).toBe(true);
    campaigns.learn('a', 1, 0);
    expect(campaigns.has('a', 999)).toBe(true);
    campaigns.learn('a', 3, 0);
    expect(campaigns.has('a', 999)).toBe(false);
  });

  it('are asked about again when they are over', () => {
    const campaigns = new SoldOutCampaigns();
    campaigns.learn('a', 1, 1_000);
    expect(campaigns.has('a', 1_000)).toBe(false);
  });
});
