import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CreateCampaign, GetCampaign, ListCampaigns } from '#contracts';
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
