import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  CreateCampaign,
  GetCampaign,
  ListCampaigns,
  OrderCancelled,
  ReserveStock,
  SeckillRestocked,
  SeckillSoldOut,
} from '#contracts';
import { InvalidReply } from '#requests';
import { ServiceHarness } from '#testkit';
import { SeckillConfig } from '../../apps/seckill/src/seckill.config.js';
import { seckillDatabase } from '../../apps/seckill/src/seckill.database.js';
import { SeckillModule } from '../../apps/seckill/src/seckill.module.js';

describe('campaigns', () => {
  let harness: ServiceHarness;

  beforeEach(async () => {
    harness = await ServiceHarness.start({
      module: SeckillModule,
      migrations: seckillDatabase.migrations,
      config: DATABASE_URL => SeckillConfig.parse({ DATABASE_URL }),
      publishes: [SeckillSoldOut, SeckillRestocked],
    });
  });

  afterEach(() => harness.stop());

  const campaign = (times: { startsAt: string; endsAt: string }) => ({
    campaignId: randomUUID(),
    sku: 'uk.A',
    stock: 10,
    perUserLimit: 1,
    priceMinor: 100,
    currency: 'GBP' as const,
    mode: 'async' as const,
    paymentWindow: 60,
    ...times,
  });

  it('are listed from the first instant to the last, as they were opened', async () => {
    const first = campaign({ startsAt: '0001-01-01T00:00:00Z', endsAt: '9999-12-31T23:59:59.999999Z' });
    await harness.ask(CreateCampaign, first);
    const { campaigns } = await harness.ask(ListCampaigns, { limit: 10 });
    expect(campaigns).toMatchObject([
      { startsAt: '0001-01-01T00:00:00.000Z', endsAt: expect.stringMatching(/^9999-12-31T23:59:59\.999/) },
    ]);
  });

  it('that are sold out are open again after a cancellation, and every piece of news has a higher version', async () => {
    const running = campaign({ startsAt: '2026-01-01T00:00:00Z', endsAt: '9999-01-01T00:00:00Z' });
    const { campaignId } = await harness.ask(CreateCampaign, { ...running, stock: 1, perUserLimit: 5 });
    const click = async () => {
      const click = { reservationId: randomUUID(), orderId: randomUUID(), buyerId: 'ann', quantity: 1 };
      const reply = await harness.ask(ReserveStock, { campaignId, clicks: [click], again: false });
      return { ...reply, ...click };
    };
    const first = await click();
    const cancelled = {
      orderId: first.orderId,
      buyerId: 'ann',
      origin: { kind: 'seckill' as const, campaignId, reservationId: first.reservationId },
      items: [{ sku: 'uk.A', quantity: 1 }],
      reason: 'buyer' as const,
      cancelledAt: new Date().toISOString(),
    };
    await harness.deliver(OrderCancelled, cancelled);
    const second = await click();
    expect([first, second]).toMatchObject([{ decisions: ['reserved'] }, { decisions: ['reserved'] }]);
    // Once for a cancellation that comes twice.
    await harness.deliver(OrderCancelled, cancelled);
    const soldOut = await harness.publishedOf(SeckillSoldOut, 2);
    const restocked = await harness.publishedOf(SeckillRestocked, 1);
    const versions = [soldOut[0]!, restocked[0]!, soldOut[1]!].map(({ version }) => version);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    expect(restocked).toHaveLength(1);
    expect([first.soldOut?.version, second.soldOut?.version]).toEqual([versions[0], versions[2]]);
  });

  it('that break the contract of a reply are a defect, with its reason in the log alone', async () => {
    const { campaignId } = await harness.ask(
      CreateCampaign,
      campaign({ startsAt: '2026-01-01T00:00:00Z', endsAt: '2026-01-02T00:00:00Z' }),
    );
    await harness.database.query("UPDATE campaign SET currency = 'ABC'");
    const asked = harness.ask(GetCampaign, { campaignId });
    await expect(asked).rejects.toBeInstanceOf(InvalidReply);
    await expect(asked).rejects.toThrow('currency');
  });
});
