import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { Outbox } from '#messaging';
import { databaseOptions } from '#service-kit';
import { CommitCutter, type Cut, eventually, migratedDatabase, type TestDatabase } from '#testkit';
import { SeckillConfig } from '../seckill.config.js';
import { seckillDatabase } from '../seckill.database.js';
import { ClickBatcher } from './click-batcher.js';
import type { DatedClick } from './decide.js';
import { DecisionOvertaken, ReserveStockUseCase } from './reserve-stock.js';

describe('stock of a flash sale', () => {
  let own: TestDatabase;
  let database: DataSource;
  let config: SeckillConfig;
  let outbox: Outbox;
  let reserving: ReserveStockUseCase;
  let campaignId: string;

  beforeEach(async () => {
    own = await migratedDatabase(seckillDatabase.migrations);
    const env = {
      SLUICE_INSTANCE: 'test',
      DATABASE_URL: own.url,
      RISK_RESERVATIONS: '3',
    };
    config = SeckillConfig.parse(env);
    database = new DataSource(databaseOptions(config));
    await database.initialize();
    outbox = new Outbox({ maxEvents: 5_000, maxMessageBytes: 1_000_000 });
    reserving = new ReserveStockUseCase(database, outbox, config);
    campaignId = await openCampaign(10, 2);
  });

  afterEach(async () => {
    await database.destroy();
    await own.drop();
  });

  async function openCampaign(stock: number, perUserLimit: number): Promise<string> {
    const id = randomUUID();
    await database.query(
      `INSERT INTO campaign (id, sku, mode, stock, available, per_user_limit, price_minor, currency, starts_at, ends_at, payment_window)
       VALUES ($1, 'uk.A', 'async', $2, $2, $3, 100, 'GBP', now() - interval '1 hour', now() + interval '1 hour', 60)`,
      [id, stock, perUserLimit],
    );
    return id;
  }

  const click = (buyerId: string, quantity = 1): DatedClick => ({
    deadline: Infinity,
    reservationId: randomUUID(),
    orderId: randomUUID(),
    buyerId,
    quantity,
  });
  const reserve = async (clicks: DatedClick[], again: string[] = []) =>
    (await reserving.reserve(campaignId, clicks, again)).decisions;

  async function books() {
    const [row] = (await database.query(
      `SELECT available, reserved, (SELECT coalesce(sum(quantity), 0)::int FROM reservation) AS held,
              (SELECT count(*)::int FROM messaging.outbox WHERE topic = 'seckill') AS told FROM campaign WHERE id = $1`,
      [campaignId],
    )) as [Record<string, number>];
    return row;
  }

  it('is never oversold by batches that run at once, and every winner is told of once', async () => {
    const batches = Array.from({ length: 8 }, (_, b) =>
      Array.from({ length: 5 }, (_, n) => click(`buyer-${b}-${n}`)),
    );
    const decisions = (await Promise.all(batches.map(batch => reserve(batch)))).flat();
    expect(decisions.filter(decision => decision === 'reserved')).toHaveLength(10);
    expect(decisions.filter(decision => decision === 'sold_out')).toHaveLength(30);
    expect(await books()).toEqual({ available: 0, reserved: 10, held: 10, told: 10 });
  });

  it('is told to be sold out with every decision that leaves nothing or finds nothing, and with no other', async () => {
    campaignId = await openCampaign(2, 2);
    const answer = (...clicks: DatedClick[]) => reserving.reserve(campaignId, clicks, []);
    expect(await answer(click('ann'))).not.toHaveProperty('soldOut');
    // Not enough for this click, and something is left.
    expect(await answer(click('ben', 2))).not.toHaveProperty('soldOut');
    const { soldOut } = await answer(click('ben'));
    expect(soldOut).toEqual({ version: 2, endsAt: expect.any(String) });
    expect(await answer(click('cleo'))).toMatchObject({ decisions: ['sold_out'], soldOut });
    const events = (await database.query(
      "SELECT payload::json AS event FROM messaging.outbox WHERE topic = 'seckill-campaign'",
    )) as { event: object }[];
    expect(events).toMatchObject([{ event: { campaignId, ...soldOut } }]);
  });

  it('keeps the limit of a buyer whose clicks come in several batches at once', async () => {
    const decisions = (await Promise.all(Array.from({ length: 6 }, () => reserve([click('ann')])))).flat();
    expect(decisions.filter(decision => decision === 'reserved')).toHaveLength(2);
    expect(decisions.filter(decision => decision === 'limit_reached')).toHaveLength(4);
  });

  it('decides a click once that is asked for again, also when the first answer was lost', async () => {
    const lost = click('ann');
    expect(await reserve([lost])).toEqual(['reserved']);
    expect(await reserve([lost, click('ben')], [lost.reservationId])).toEqual(['reserved', 'reserved']);
    expect(await books()).toEqual({ available: 8, reserved: 2, held: 2, told: 2 });
  });

  it('refuses a blocked buyer, and one who reserves too much everywhere', async () => {
    await database.query("INSERT INTO blocked_buyer (buyer_id, reason) VALUES ('eve', 'test')");
    expect(await reserve([click('eve'), click('ann')])).toEqual(['risk_rejected', 'reserved']);
    campaignId = await openCampaign(10, 10);
    expect(await reserve([click('ann'), click('ann'), click('ann')])).toEqual([
      'reserved',
      'reserved',
      'risk_rejected',
    ]);
  });

  it('is not taken for a click that waited for its turn past its deadline', async () => {
    const runner = database.createQueryRunner();
    await runner.startTransaction();
    await runner.query('SELECT 1 FROM campaign WHERE id = $1 FOR UPDATE', [campaignId]);
    const clock = async () =>
      (
        (await database.query('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms')) as [
          { ms: string },
        ]
      )[0].ms;
    const deadline = Number(await clock()) + 300;
    const late = reserve([{ ...click('ann'), deadline }, click('ben')]);
    await eventually(clock, ms => Number(ms) > deadline);
    await runner.commitTransaction();
    await runner.release();
    expect(await late).toEqual(['expired', 'reserved']);
    expect(await books()).toEqual({ available: 9, reserved: 1, held: 1, told: 1 });
  });

  it('is taken once for a click whose repeated copy another instance decided first', async () => {
    const twice = click('ann');
    await reserve([twice], [twice.reservationId]);
    const here = new ClickBatcher(reserving, config);
    expect(await here.decide(campaignId, [twice, click('ben')], false)).toMatchObject({
      decisions: ['reserved', 'reserved'],
    });
    expect(await books()).toEqual({ available: 8, reserved: 2, held: 2, told: 2 });
  });

  it('is not taken by a decision that the rows contradict', async () => {
    const generous = {
      available: 99,
      perUserLimit: 99,
      phase: 'running',
      tallies: new Map(),
      recent: new Map(),
      blocked: new Set(),
      maxRecent: 99,
      reservedBefore: new Set(),
    };
    Object.assign(reserving, { stateOf: () => generous });
    const overLimit = reserve([click('ann'), click('ann'), click('ann')]);
    await expect(overLimit).rejects.toThrow(DecisionOvertaken);
    const overStock = reserve(Array.from({ length: 11 }, (_, n) => click(`b${n}`)));
    await expect(overStock).rejects.toThrow(DecisionOvertaken);
    expect(await books()).toEqual({ available: 10, reserved: 0, held: 0, told: 0 });
  });

  it.each<Cut>(['committed', 'not committed'])(
    'is taken once when the answer to a commit is lost that was %s',
    async cut => {
      const { cutter, url } = await CommitCutter.before(own.url);
      const far = new DataSource(databaseOptions({ ...config, DATABASE_URL: url }));
      await far.initialize();
      reserving = new ReserveStockUseCase(far, outbox, config);
      cutter.cutNext(cut);
      const clicked = click('ann');
      await expect(reserve([clicked])).rejects.toThrow('Connection terminated');
      expect(await reserve([clicked], [clicked.reservationId])).toEqual(['reserved']);
      expect(await books()).toEqual({ available: 9, reserved: 1, held: 1, told: 1 });
      await far.destroy();
      await cutter.stop();
    },
  );

  it('does not know a campaign that does not exist', async () => {
    campaignId = randomUUID();
    expect(await reserve([click('ann')])).toEqual(['unknown_campaign']);
  });
});
