import { describe, expect, it } from '@jest/globals';
import type { Click, Decision } from '#contracts';
import { type RequestClient, ServiceUnavailable } from '#requests';
import { Gate } from '#testkit';
import { GatewayConfig } from '../gateway.config.js';
import { Clicks } from './clicks.js';
import { FlashSaleClock } from './flash-sale-clock.js';
import { SoldOutCampaigns } from './sold-out.js';

const config = GatewayConfig.parse({
  SLUICE_INSTANCE: 'test',
  SESSION_SECRET: 'x'.repeat(32),
  OPERATOR_PASSWORD: 'x'.repeat(8),
  SANDBOX_PUBLIC_URL: 'http://127.0.0.1',
  GATEWAY_CLICKS: '2',
});

const click = (id: string): Click => ({ reservationId: id, orderId: id, buyerId: id, quantity: 1 });

describe('clicks at the gateway', () => {
  it('are told to come back when as many wait as may', async () => {
    const gate = new Gate();
    const requests = {
      ask: async (_: unknown, { clicks }: { clicks: readonly Click[] }) => {
        await gate.opened;
        return { decisions: clicks.map((): Decision => 'reserved') };
      },
    } as unknown as RequestClient;
    const clicks = new Clicks(requests, new FlashSaleClock(requests), new SoldOutCampaigns(), config);
    const waiting = [clicks.decide('c', click('a')), clicks.decide('c', click('b'))];
    expect(await clicks.decide('c', click('d'))).toBe('busy');
    gate.release();
    expect(await Promise.all(waiting)).toEqual(['reserved', 'reserved']);
    expect(await clicks.decide('c', click('d'))).toBe('reserved');
  });

  it('carry their deadline by the clock of the flash sale, and hear `expired` only when it is past', async () => {
    const asked: { again: boolean; deadline: number }[] = [];
    const ahead = 1_000_000;
    let awayUntil = 0;
    const requests = {
      ask: async (_: unknown, { again, deadline }: { again: boolean; deadline: number }) => {
        asked.push({ again, deadline });
        const now = performance.now() + ahead;
        // It is away from the second call until the click's deadline is past.
        if (asked.length > 1 && performance.now() <= awayUntil)
          throw new ServiceUnavailable('seckill', 'no answer');
        return { decisions: [deadline > now ? 'reserved' : 'expired'] satisfies Decision[], now };
      },
    } as unknown as RequestClient;
    const limits = { decideMs: 300, answerMs: 600, attemptMs: 200 };
    const clicks = new Clicks(requests, new FlashSaleClock(requests), new SoldOutCampaigns(), config, limits);
    const startedAt = performance.now();
    awayUntil = startedAt + limits.decideMs + 50;
    expect(await clicks.decide('c', click('a'))).toBe('expired');
    expect(asked[0]).toEqual({ again: false, deadline: 0 });
    const deadlines = asked.slice(1).map(({ deadline }) => deadline);
    expect(asked.slice(1).every(({ again }) => again)).toBe(true);
    expect(deadlines).toEqual([...deadlines].sort((one, two) => one - two));
    expect(deadlines.at(-1)! - ahead).toBeLessThanOrEqual(startedAt + limits.decideMs + 50);
    expect(await clicks.decide('c', click('b'))).toBe('reserved');
  });

  it('teach that a campaign is sold out, as of its version: a gateway that has not heard of it asks once', async () => {
    const soldOut = { version: 7, endsAt: new Date(Date.now() + 60_000).toISOString() };
    const requests = {
      ask: async () => ({ decisions: ['sold_out'] satisfies Decision[], soldOut }),
    } as unknown as RequestClient;
    const campaigns = new SoldOutCampaigns();
    const clicks = new Clicks(requests, new FlashSaleClock(requests), campaigns, config);
    expect(campaigns.has('c')).toBe(false);
    expect(await clicks.decide('c', click('a'))).toBe('sold_out');
    expect(campaigns.has('c')).toBe(true);
    // The answer was on its way when the restock was told.
    campaigns.learn('c', 8, 0);
    expect(await clicks.decide('c', click('b'))).toBe('sold_out');
    expect(campaigns.has('c')).toBe(false);
  });

  it('that wait already are not refused by the news that the campaign is sold out', async () => {
    const gate = new Gate();
    const requests = {
      ask: async () => {
        await gate.opened;
        return { decisions: ['reserved'] satisfies Decision[] };
      },
    } as unknown as RequestClient;
    const campaigns = new SoldOutCampaigns();
    const clicks = new Clicks(requests, new FlashSaleClock(requests), campaigns, config);
    const waiting = clicks.decide('c', click('a'));
    campaigns.learn('c', 1, Date.now() + 60_000);
    gate.release();
    expect(await waiting).toBe('reserved');
  });

  it('that nobody answers are undecided, and say where to look', async () => {
    const requests = {
      ask: () => Promise.reject(new ServiceUnavailable('seckill', 'no answer')),
    } as unknown as RequestClient;
    const limits = { decideMs: 100, answerMs: 200, attemptMs: 50 };
    const clicks = new Clicks(requests, new FlashSaleClock(requests), new SoldOutCampaigns(), config, limits);
    await expect(clicks.decide('c', click('a'))).rejects.toThrow('GET /api/orders');
  });
});
