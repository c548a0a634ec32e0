import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GetStatistics, OrderPaid } from '#contracts';
import { DatabaseConfig } from '#service-kit';
import { ServiceHarness } from '#testkit';
import { statisticsDatabase } from '../../apps/statistics/src/statistics.database.js';
import { StatisticsModule } from '../../apps/statistics/src/statistics.module.js';
import { anOrderPaid } from './builders.js';

describe('statistics', () => {
  let harness: ServiceHarness;

  beforeEach(async () => {
    harness = await ServiceHarness.start({
      module: StatisticsModule,
      migrations: statisticsDatabase.migrations,
      config: DATABASE_URL => DatabaseConfig.parse({ DATABASE_URL }),
    });
  });

  afterEach(() => harness.stop());

  it('tells a sum that no number tells exactly as its digits', async () => {
    const paidAt = new Date().toISOString();
    const huge = () => anOrderPaid({ totalMinor: Number.MAX_SAFE_INTEGER, currency: 'GBP', paidAt });
    await harness.deliver(OrderPaid, huge(), huge(), anOrderPaid({ totalMinor: 5, currency: 'JPY', paidAt }));
    const { perMinute } = await harness.ask(GetStatistics, { minutes: 60 });
    expect(perMinute.map(({ currency, salesMinor }) => [currency, salesMinor])).toEqual([
      ['GBP', '18014398509481982'],
      ['JPY', 5],
    ]);
  });
});
