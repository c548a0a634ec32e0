import { describe, expect, it } from '@jest/globals';
import type { Click, Decision } from '#contracts';
import { Gate } from '#testkit';
import { SeckillConfig } from '../seckill.config.js';
import { ClickBatcher } from './click-batcher.js';
import type { ReserveStockUseCase } from './reserve-stock.js';

const SETTINGS = { SLUICE_INSTANCE: 'test', DATABASE_URL: 'postgres://localhost/seckill' };

/** A batcher whose decisions the test makes itself, and a record of every request. */
function batcher(decide: (clicks: readonly Click[]) => Promise<Decision[]>, settings: object = {}) {
  const asked: string[][] = [];
  const useCase = {
    reserve: (_: string, clicks: readonly Click[]) => {
      asked.push(clicks.map(click => click.reservationId));
      return decide(clicks).then(decisions => ({ decisions }));
    },
  } as unknown as ReserveStockUseCase;
  const config = SeckillConfig.parse({ ...SETTINGS, ...settings });
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
    expect((await decided).map(({ decisions }) => decisions)).toEqual([
      ['reserved', 'sold_out'],
      ['reserved'],
    ]);
    expect(asked).toEqual([['a', 'b', 'd']]);
  });

  it('are one click when one is asked again while its first copy waits', async () => {
    const { asked, batcher: clicks } = batcher(async all => all.map(() => 'reserved'));
    const decided = Promise.all([
      clicks.decide('c', [click('a'), click('b')], false),
      clicks.decide('c', [click('a')], true),
    ]);
    expect((await decided).map(({ decisions }) => decisions)).toEqual([
      ['reserved', 'reserved'],
      ['reserved'],
    ]);
    expect(asked).toEqual([['a', 'b']]);
  });

  it('are told to come back when as many wait as may, and taken again when there is room', async () => {
    const gate = new Gate();
    const { batcher: clicks } = batcher(
      async all => {
        await gate.opened;
        return all.map(() => 'reserved');
      },
      { SECKILL_QUEUE: '2' },
    );
    const taken = clicks.decide('c', [click('a'), click('b')], false);
    expect(await clicks.decide('c', [click('d')], false)).toEqual({ decisions: ['busy'] });
    // One that was asked before may be decided already.
    const again = clicks.decide('c', [click('a')], true);
    gate.release();
    expect(await taken).toEqual({ decisions: ['reserved', 'reserved'] });
    expect(await again).toEqual({ decisions: ['reserved'] });
    expect(await clicks.decide('c', [click('d')], false)).toEqual({ decisions: ['reserved'] });
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
