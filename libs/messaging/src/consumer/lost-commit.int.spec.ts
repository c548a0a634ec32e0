import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { CommitCutter, type Cut, effect, eventually, following, Gathered, useParking } from '#testkit';
import { Consumer } from './consumer.js';
import { Retrier } from './retrier.js';
import { failedChannel, type FailedSignal } from './signals.js';

describe('a commit whose answer is lost', () => {
  const parking = useParking();
  const { publish, progressIs } = parking;
  let cutter: CommitCutter;
  let database: DataSource;
  let tried: string[];
  let failures: Gathered<FailedSignal>;
  const listen = (signal: unknown) => failures.add(signal as FailedSignal);

  beforeEach(async () => {
    const before = await CommitCutter.before(parking.fixture.addresses.database);
    cutter = before.cutter;
    database = new DataSource({ type: 'postgres', url: before.url });
    await database.initialize();
    [tried, failures] = [[], new Gathered()];
    failedChannel.subscribe(listen);
  });

  afterEach(async () => {
    failedChannel.unsubscribe(listen);
    await parking.transport.close();
    await database.destroy();
    await cutter.stop();
  });

  const settled = () =>
    eventually(
      () => parking.transport.lag('test.follow'),
      lags => lags.every(({ lag, head }) => lag === 0 && head > 0),
    );

  it.each<[Cut, string[]]>([
    ['committed', ['a1', 'a2', 'b1']],
    ['not committed', ['a1', 'a2', 'a1', 'a2', 'b1']],
  ])('leaves one effect of each message of its batch: %s', async (cut, calls) => {
    const declared = {
      ...following(async ({ key, n }, tx) => {
        tried.push(`${key}${n}`);
        if (tried.length === 2) cutter.cutNext(cut);
        await effect(tx, `${key}${n}`);
      }),
      batch: 2,
    };
    await publish({ key: 'a', n: 1 }, { key: 'a', n: 2 }, { key: 'b', n: 1 });
    await parking.fixture.subscribe(parking.transport, declared, new Consumer(declared, database));
    await progressIs({ handled: 3, parked: 0, dead: 0, discarded: 0 });
    await settled();
    expect(failures.items).toMatchObject([{ size: 2 }]);
    expect(tried).toEqual(calls);
    expect(await parking.fixture.effects()).toEqual(['a1', 'a2', 'b1']);
  });

  it.each<[Cut, string[]]>([
    ['committed', ['a1', 'a1', 'a2', 'a3']],
    ['not committed', ['a1', 'a1', 'a1', 'a2', 'a3']],
  ])('leaves one effect of each message that is retried: %s', async (cut, calls) => {
    const declared = {
      ...following(async ({ key, n }, tx) => {
        tried.push(`${key}${n}`);
        if (tried.length === 1) throw new Error('not yet');
        if (tried.length === 2) cutter.cutNext(cut);
        await effect(tx, `${key}${n}`);
      }),
      batch: 1,
    };
    await publish({ key: 'a', n: 1 }, { key: 'a', n: 2 }, { key: 'a', n: 3 });
    await parking.fixture.subscribe(
      parking.transport,
      declared,
      new Consumer(declared, parking.fixture.database),
    );
    await progressIs({ handled: 0, parked: 3, dead: 0, discarded: 0 });
    const retrier = new Retrier(database, [declared], { pollMs: 5, maxBackoffMs: 20 });
    retrier.start();
    await progressIs({ handled: 3, parked: 0, dead: 0, discarded: 0 });
    await retrier.stop();
    expect(cutter.isDone).toBe(true);
    expect(tried).toEqual(calls);
    expect(await parking.fixture.effects()).toEqual(['a1', 'a2', 'a3']);
  });
});
