import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { following, Gathered, useParking } from '#testkit';
import { DependencyUnavailable } from '../runtime/infrastructure-error.js';
import { Consumer } from './consumer.js';
import { failedChannel } from './signals.js';

const EVENTS = [1, 2, 3].flatMap(n => ['a', 'b', 'c'].map(key => ({ key, n })));

describe('messages that were not handled come back at their places', () => {
  const parking = useParking();
  const { consume, retry, publish, progressIs, dead, recording } = parking;
  let failures: Gathered<unknown>;
  const listen = (signal: unknown) => failures.add(signal);

  beforeEach(() => {
    failures = new Gathered();
    failedChannel.subscribe(listen);
  });

  afterEach(() => {
    failedChannel.unsubscribe(listen);
  });

  it('after an outage that begins in the middle of a batch', async () => {
    const tried: string[] = [];
    let [begun, away] = [false, false];
    const declared = {
      ...following(async (event, tx) => {
        tried.push(`${event.key}${event.n}`);
        if (!begun && event.key === 'a' && event.n === 3) begun = away = true;
        if (away) throw new DependencyUnavailable('the outside', 'it is away');
        await recording(event, tx);
      }),
      batch: 4,
    };
    await publish(...EVENTS);
    await parking.fixture.subscribe(
      parking.transport,
      declared,
      new Consumer(declared, parking.fixture.database),
    );
    await failures.count(2);
    // One transaction went through; what the next one had done before the outage is undone.
    expect(await parking.fixture.effects()).toEqual(['a1', 'b1', 'c1', 'a2']);
    expect(tried.slice(0, 8)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'c2', 'a3', 'b2']);
    away = false;
    await progressIs({ handled: 9, parked: 0, dead: 0, discarded: 0 });
    expect(await parking.fixture.effects()).toEqual(EVENTS.map(({ key, n }) => `${key}${n}`));
  });

  it('when an operator replays dead letters, whatever the order they died in', async () => {
    let broken = true;
    parking.handle = async (event, tx) => {
      if (broken) throw new Error('broken');
      await recording(event, tx);
    };
    const declared = await consume();
    const retrier = retry(declared);
    await publish({ key: 'a', n: 1 }, { key: 'b', n: 1 }, { key: 'a', n: 2 }, { key: 'a', n: 3 });
    await progressIs({ handled: 0, parked: 0, dead: 4, discarded: 0 });
    await retrier.stop();
    await parking.fixture.database.query(
      "UPDATE messaging.dead_letter SET dead_at = dead_at - (position % 3) * interval '1 hour'",
    );
    broken = false;
    const all = { decision: 'replay', by: 'ann', skip: 0, limit: 10 } as const;
    expect(await parking.letters.decideAll({ ...all, filter: { key: 'a' } })).toMatchObject({ done: 3 });
    await publish({ key: 'a', n: 4 }, { key: 'c', n: 1 });
    await progressIs({ handled: 1, parked: 4, dead: 1, discarded: 0 });
    retry(declared);
    await progressIs({ handled: 5, parked: 0, dead: 1, discarded: 0 });
    expect(await parking.fixture.effects()).toEqual(['c1', 'a1', 'a2', 'a3', 'a4']);
    expect(await dead()).toMatchObject([{ key: 'b' }]);
  });
});
