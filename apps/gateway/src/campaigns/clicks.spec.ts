import { describe, expect, it } from '@jest/globals';
import type { Click, Decision } from '#contracts';
import type { RequestClient } from '#requests';
import { Gate } from '#testkit';
import { GatewayConfig } from '../gateway.config.js';
import { Clicks } from './clicks.js';
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
    const clicks = new Clicks(requests, new SoldOutCampaigns(), config);
    const waiting = [clicks.decide('c', click('a')), clicks.decide('c', click('b'))];
    expect(await clicks.decide('c', click('d'))).toBe('busy');
    gate.release();
    expect(await Promise.all(waiting)).toEqual(['reserved', 'reserved']);
    expect(await clicks.decide('c', click('d'))).toBe('reserved');
  });
});
