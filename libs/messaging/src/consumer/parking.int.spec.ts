import { describe, expect, it } from '@jest/globals';
import type { EntityManager } from 'typeorm';
import { envelop, toWire } from '../message/envelope.js';
import { eventually, Gate, Happened, SOON, useParking } from '#testkit';
import { Consumer } from './consumer.js';
import { Dependency } from '../flow/dependency.js';
import { DependencyUnavailable } from '../runtime/infrastructure-error.js';
import { countOutOfOrder } from './inbox.js';

describe('a message whose handler fails', () => {
  const parking = useParking();
  const { consume, retry, publish, publishOn, progressIs, dead, recording } = parking;

  it('stops its key and no other, and its key goes on in order when it can be handled', async () => {
    let broken = true;
    parking.handle = async (event, tx) => {
      if (broken && event.key === 'a' && event.n === 1) throw new Error('not yet');
      await recording(event, tx);
    };
    const declared = await consume({ ...SOON, attempts: 1_000 });
    await publish({ key: 'a', n: 1 }, { key: 'a', n: 2 }, { key: 'b', n: 1 });
    await publish({ key: 'a', n: 3 }, { key: 'b', n: 2 });
    await progressIs({ handled: 2, parked: 3, dead: 0, discarded: 0 });
    expect(await parking.fixture.effects()).toEqual(['b1', 'b2']);
    retry(declared);
    broken = false;
    await progressIs({ handled: 5, parked: 0, dead: 0, discarded: 0 });
    expect(await parking.fixture.effects()).toEqual(['b1', 'b2', 'a1', 'a2', 'a3']);
    expect(await dead()).toEqual([]);
    expect((await countOutOfOrder(parking.fixture.database)).size).toBe(0);
  });

  it('keeps the order of its key while instances come and go', async () => {
    let broken = true;
    parking.handle = async (event, tx) => {
      if (broken && event.key === 'a' && event.n === 1) throw new Error('not yet');
      await recording(event, tx);
    };
    const declared = await consume({ ...SOON, attempts: 1_000 });
    retry(declared);
    await publish({ key: 'a', n: 1 }, { key: 'a', n: 2 }, { key: 'b', n: 1 });
    await progressIs({ handled: 1, parked: 2, dead: 0, discarded: 0 });
    const other = parking.fixture.transport();
    await parking.fixture.subscribe(other, declared, new Consumer(declared, parking.fixture.database));
    retry(declared);
    await parking.transport.close();
    await publishOn(other, { key: 'a', n: 3 }, { key: 'b', n: 2 });
    await progressIs({ handled: 2, parked: 3, dead: 0, discarded: 0 });
    broken = false;
    await publishOn(other, { key: 'a', n: 4 });
    await progressIs({ handled: 6, parked: 0, dead: 0, discarded: 0 });
    const ofKey = (await parking.fixture.effects()).filter(what => what.startsWith('a'));
    expect(ofKey).toEqual(['a1', 'a2', 'a3', 'a4']);
    expect((await countOutOfOrder(parking.fixture.database)).size).toBe(0);
  });

  it('does not keep others from their turn while it waits for an outage', async () => {
    let broken = true;
    parking.handle = async (event, tx) => {
      if (broken) throw new Error('broken');
      if (event.key === 'a') throw new DependencyUnavailable('what only this one needs', 'it is away');
      await recording(event, tx);
    };
    const declared = await consume();
    await publish({ key: 'a', n: 1 }, { key: 'b', n: 1 });
    await progressIs({ handled: 0, parked: 2, dead: 0, discarded: 0 });
    broken = false;
    retry(declared);
    await progressIs({ handled: 1, parked: 1, dead: 0, discarded: 0 });
    expect(await parking.fixture.effects()).toEqual(['b1']);
  });

  it('shares what its handler writes with the batches that go on meanwhile', async () => {
    await parking.fixture.database.query('CREATE TABLE counter (n int NOT NULL)');
    await parking.fixture.database.query('INSERT INTO counter VALUES (0)');
    let broken = true;
    parking.handle = async (event, tx) => {
      if (broken && event.key === 'bad') throw new Error('broken');
      await tx.query('UPDATE counter SET n = n + 1');
    };
    const declared = await consume({ ...SOON, attempts: 1_000 });
    await publish(...Array.from({ length: 5 }, (_, n) => ({ key: 'bad', n })));
    await progressIs({ handled: 0, parked: 5, dead: 0, discarded: 0 });
    broken = false;
    retry(declared);
    for (let n = 0; n < 10; n += 1)
      await publish(...Array.from({ length: 10 }, (_, m) => ({ key: `k${m}`, n })));
    await progressIs({ handled: 105, parked: 0, dead: 0, discarded: 0 });
    expect(await parking.fixture.database.query('SELECT n FROM counter')).toEqual([{ n: 105 }]);
  });

  it('is tried by one of several instances at a time', async () => {
    const gate = new Gate();
    let [failed, calls] = [false, 0];
    parking.handle = async (event, tx) => {
      if (!failed) {
        failed = true;
        throw new Error('the first time');
      }
      calls += 1;
      await gate.opened;
      await recording(event, tx);
    };
    const declared = await consume();
    await publish({ key: 'a', n: 1 });
    await progressIs({ handled: 0, parked: 1, dead: 0, discarded: 0 });
    retry(declared);
    await eventually(
      async () => calls,
      count => count === 1,
    );
    const other = retry(declared);
    await publish({ key: 'a', n: 2 });
    await progressIs({ handled: 0, parked: 2, dead: 0, discarded: 0 });
    await other.stop();
    expect(calls).toBe(1);
    gate.release();
    await progressIs({ handled: 2, parked: 0, dead: 0, discarded: 0 });
    expect(await parking.fixture.effects()).toEqual(['a1', 'a2']);
  });

  it('has no attempt counted for an outage', async () => {
    let state: 'broken' | 'away' | 'well' = 'broken';
    let outages = 0;
    parking.handle = async (event, tx) => {
      if (state === 'broken') throw new Error('broken');
      if (state === 'away') {
        outages += 1;
        throw new DependencyUnavailable('the outside', 'it is away');
      }
      await recording(event, tx);
    };
    const declared = await consume();
    await publish({ key: 'a', n: 1 });
    await progressIs({ handled: 0, parked: 1, dead: 0, discarded: 0 });
    state = 'away';
    retry(declared);
    await eventually(
      async () => outages,
      count => count >= 1,
    );
    expect(await parking.fixture.database.query('SELECT attempts FROM messaging.parked')).toEqual([
      { attempts: 1 },
    ]);
    state = 'well';
    await progressIs({ handled: 1, parked: 0, dead: 0, discarded: 0 });
  });

  it('says no more that it waits when it was tried and failed after the outage', async () => {
    let away = false;
    parking.handle = () =>
      Promise.reject(away ? new DependencyUnavailable('the outside', 'it is away') : new Error('broken'));
    const waiting = () =>
      parking.fixture.database.query('SELECT reason FROM messaging.waiting') as Promise<object[]>;
    const declared = await consume({ ...SOON, attempts: 2 });
    await publish({ key: 'a', n: 1 });
    await progressIs({ handled: 0, parked: 1, dead: 0, discarded: 0 });
    away = true;
    retry(declared);
    const [noted] = await eventually(waiting, rows => rows.length === 1);
    expect(noted).toMatchObject({ reason: expect.stringContaining('the outside is not available') });
    away = false;
    await progressIs({ handled: 0, parked: 0, dead: 1, discarded: 0 });
    await eventually(waiting, rows => rows.length === 0);
  });

  it('is no matter of a dependency that takes a part of what comes at once: the rest follows, less at a time', async () => {
    const calls = new WeakMap<EntityManager, number>();
    parking.handle = async (event, tx) => {
      const made = (calls.get(tx) ?? 0) + 1;
      calls.set(tx, made);
      if (made > 3) throw new DependencyUnavailable('the outside', 'it takes three at a time');
      await recording(event, tx);
    };
    await publish(...Array.from({ length: 10 }, (_, n) => ({ key: 'a', n })));
    await consume();
    await progressIs({ handled: 10, parked: 0, dead: 0, discarded: 0 });
    expect(await parking.fixture.effects()).toEqual(Array.from({ length: 10 }, (_, n) => `a${n}`));
  });

  describe('and looks like an outage', () => {
    const away = () => new DependencyUnavailable('what it needs', 'it is away');

    it('is parked when the messages of other keys go through, and is given up at last', async () => {
      parking.handle = async (event, tx) => {
        if (event.key.startsWith('poison')) throw away();
        await recording(event, tx);
      };
      const declared = await consume({ ...SOON, attempts: 3 });
      await publish(...['poison1', 'a', 'poison2', 'poison3', 'b', 'a'].map((key, n) => ({ key, n })));
      await progressIs({ handled: 3, parked: 3, dead: 0, discarded: 0 });
      expect(await parking.fixture.effects()).toEqual(['a1', 'b4', 'a5']);
      retry(declared);
      // An attempt counts when others of its type were handled since the one before.
      let n = 10;
      await eventually(
        async () => {
          await publish({ key: 'c', n: (n += 1) });
          return (await dead()).length;
        },
        count => count === 3,
      );
    });

    it('is parked although only copies of handled messages follow it at first', async () => {
      parking.handle = async (event, tx) => {
        if (event.key === 'poison') throw away();
        await recording(event, tx);
      };
      const known = ['a', 'b', 'c'].map((key, n) => toWire(envelop(Happened, { key, n }), 'test'));
      await parking.transport.publish(known);
      await publish({ key: 'poison', n: 3 });
      await parking.transport.publish(known);
      await publish({ key: 'd', n: 4 });
      await consume();
      await progressIs({ handled: 4, parked: 1, dead: 0, discarded: 0 });
      expect(await parking.fixture.effects()).toEqual(['a0', 'b1', 'c2', 'd4']);
    });

    it('is parked although it opens the circuit of what it calls', async () => {
      const outside = new Dependency('the outside', { failures: 2, restMs: 50 });
      parking.handle = async (event, tx) => {
        await outside.call(() =>
          event.key.startsWith('poison') ? Promise.reject(away()) : Promise.resolve(),
        );
        await recording(event, tx);
      };
      await publish(...['poison1', 'poison2', 'a', 'b'].map((key, n) => ({ key, n })));
      await consume();
      await progressIs({ handled: 2, parked: 2, dead: 0, discarded: 0 });
    });

    it('is not parked while everything fails, and nothing is', async () => {
      let [isAway, calls] = [true, 0];
      parking.handle = async (event, tx) => {
        calls += 1;
        if (isAway) throw away();
        await recording(event, tx);
      };
      await publish(...['a', 'b', 'c', 'd', 'e'].map((key, n) => ({ key, n })));
      await consume();
      // Long enough for several messages to come under suspicion.
      await eventually(
        async () => calls,
        count => count >= 7,
      );
      expect(await parking.fixture.database.query('SELECT FROM messaging.parked')).toEqual([]);
      isAway = false;
      await progressIs({ handled: 5, parked: 0, dead: 0, discarded: 0 });
      expect(await parking.fixture.effects()).toEqual(['a0', 'b1', 'c2', 'd3', 'e4']);
    });

    it('is parked when its handler exceeds the time limit of its statements', async () => {
      parking.handle = async (event, tx) => {
        if (event.key === 'slow') {
          await tx.query("SET LOCAL statement_timeout = '20ms'");
          await tx.query('SELECT pg_sleep(60)');
        }
        await recording(event, tx);
      };
      await publish({ key: 'slow', n: 1 }, { key: 'a', n: 2 });
      await consume();
      await progressIs({ handled: 1, parked: 1, dead: 0, discarded: 0 });
    });
  });

  it.each([
    ['nothing', undefined],
    ['a text', 'broken'],
    ['an object without a prototype', Object.create(null)],
    [
      'what throws when it is read',
      new Proxy(new Error('x'), {
        get: () => {
          throw new Error('no');
        },
      }),
    ],
    [
      'an error that is its own cause',
      Object.assign(new Error('x'), {
        get cause(): unknown {
          return this;
        },
      }),
    ],
    [
      'an error whose message is no text',
      Object.assign(new Error('x'), { message: { a: 1 }, stack: undefined }),
    ],
  ])('is parked and given up when it throws %s', async (_, thrown) => {
    parking.handle = async (event, tx) => {
      if (event.key === 'a') throw thrown;
      await recording(event, tx);
    };
    const declared = await consume({ ...SOON, attempts: 2 });
    await publish({ key: 'a', n: 1 }, { key: 'b', n: 2 });
    await progressIs({ handled: 1, parked: 1, dead: 0, discarded: 0 });
    retry(declared);
    await progressIs({ handled: 1, parked: 0, dead: 1, discarded: 0 });
    expect(await dead()).toHaveLength(1);
  });

  it('makes its subscription wait when too many are parked, and go on when they are handled', async () => {
    let broken = true;
    parking.handle = async (event, tx) => {
      if (broken) throw new Error('everything is broken');
      await recording(event, tx);
    };
    const declared = await consume({ ...SOON, attempts: 1_000 }, 3);
    await publish(...Array.from({ length: 6 }, (_, n) => ({ key: `k${n}`, n })));
    await progressIs({ handled: 0, parked: 3, dead: 0, discarded: 0 });
    broken = false;
    retry(declared);
    await progressIs({ handled: 6, parked: 0, dead: 0, discarded: 0 });
    expect((await parking.fixture.effects()).sort()).toEqual(
      Array.from({ length: 6 }, (_, n) => `k${n}${n}`),
    );
  });
});
