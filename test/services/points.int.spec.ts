import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GetPoints, OrderPaid, OrderRefunded, PointsAwarded } from '#contracts';
import { DatabaseConfig } from '#service-kit';
import { ServiceHarness } from '#testkit';
import { pointsDatabase } from '../../apps/points/src/points.database.js';
import { PointsModule } from '../../apps/points/src/points.module.js';
import { anOrderPaid, itsRefund } from './builders.js';

async function startPoints() {
  const harness = await ServiceHarness.start({
    module: PointsModule,
    migrations: pointsDatabase.migrations,
    config: DATABASE_URL => DatabaseConfig.parse({ DATABASE_URL }),
    publishes: [PointsAwarded],
  });
  return {
    deliver: (...events: OrderPaid[]) => harness.deliver(OrderPaid, ...events),
    refund: (event: OrderRefunded) => harness.deliver(OrderRefunded, event),
    balanceOf: async (buyerId: string) => (await harness.ask(GetPoints, { buyerId })).balance,
    awarded: (count: number) => harness.publishedOf(PointsAwarded, count),
    stop: () => harness.stop(),
  };
}

describe('points', () => {
  let points: Awaited<ReturnType<typeof startPoints>>;

  beforeEach(async () => {
    points = await startPoints();
  });

  afterEach(() => points.stop());

  it('awards points once when the same message arrives twice', async () => {
    const message = anOrderPaid({ totalMinor: 12_50 });

    await points.deliver(message);
    await points.deliver(message);

    expect(await points.balanceOf(message.buyerId)).toBe(12);
  });

  it('tells of every award once, with its order', async () => {
    const message = anOrderPaid({ totalMinor: 12_50 });
    await points.deliver(message);
    await points.deliver(message);
    const later = anOrderPaid();
    await points.deliver(later);
    const { orderId, buyerId } = message;
    expect(await points.awarded(2)).toEqual([
      { orderId, buyerId, points: 12 },
      expect.objectContaining({ orderId: later.orderId }),
    ]);
  });

  it('takes back what a refund was worth, once', async () => {
    const message = anOrderPaid({ totalMinor: 12_50 });
    await points.deliver(message);
    const refund = itsRefund(message, { totalMinor: 10_00 });
    await points.refund(refund);
    await points.refund(refund);
    expect(await points.balanceOf(message.buyerId)).toBe(2);
  });
});
