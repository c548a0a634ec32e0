import { describe, expect, it } from '@jest/globals';
import type { Click, Decision } from '#contracts';
import { SeckillConfig } from '../seckill.config.js';
import { ClickBatcher } from './click-batcher.js';
import type { ReserveStockUseCase } from './reserve-stock.js';

const config = SeckillConfig.parse({
  SLUICE_INSTANCE: 'test',
  DATABASE_URL: 'postgres://localhost/seckill',
});

/** A decision that the test makes itself; everything it was asked is kept. */
function batcher(decide: (clicks: readonly Click[]) => Promise<Decision[]>) {
  const asked: string[][] = [];
  const useCase = {
    reserve: (_: string, clicks: readonly Click[]) => {
      asked.push(clicks.map(click => click.reservationId));
      return decide(clicks);
    },
  } as unknown as ReserveStockUseCase;
  return { asked, batcher: new ClickBatcher(useCase, config) };
}

const click = (reservationId: string): Click => ({
  reservationId,
  orderId: `order of ${reservationId}`,
  buyerId: `buyer of ${reservationId}`,
  quantity: 1,
});

describe('clicks of one moment', () => {
  it('are decided together, each with its own decision', async () => {
    const { asked, batcher: clicks } = batcher(async all =>
      all.map(({ reservationId }) => (reservationId === 'b' ? 'sold_out' : 'reserved')),
    );
    const decided = Promise.all([
      clicks.decide('c', [click('a'), click('b')], false),
      clicks.decide('c', [click('d')], false),
    ]);
    expect(await decided).toEqual([['reserved', 'sold_out'], ['reserved']]);
    expect(asked).toEqual([['a', 'b', 'd']]);
  });

  it('are one click when one is asked again while its first copy waits', async () => {
    const { asked, batcher: clicks } = batcher(async all => all.map(() => 'reserved'));
    const decided = Promise.all([
      clicks.decide('c', [click('a'), click('b')], false),
      clicks.decide('c', [click('a')], true),
    ]);
    expect(await decided).toEqual([['reserved', 'reserved'], ['reserved']]);
    expect(asked).toEqual([['a', 'b']]);
  });

  it('all hear of it when they could not be decided', async () => {
    const { batcher: clicks } = batcher(() => Promise.reject(new Error('no database')));
    const decided = await Promise.allSettled([
      clicks.decide('c', [click('a')], false),
      clicks.decide('c', [click('b')], false),
    ]);
    expect(decided.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
