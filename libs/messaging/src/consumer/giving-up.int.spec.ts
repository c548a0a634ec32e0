import { describe, expect, it } from '@jest/globals';
import { eventually, Happened, SOON, useParking } from '#testkit';
import { countOutOfOrder } from './inbox.js';
import { envelop, toWire } from '../message/envelope.js';

describe('a message that is given up', () => {
  const parking = useParking();
  const { consume, retry, publish, progressIs, dead, recording } = parking;

  it('keeps the last of its errors, and of each no more than so much', async () => {
    let attempts = 0;
    parking.handle = async () => {
      throw new Error(`attempt ${(attempts += 1)} ${'x'.repeat(10_000)}`);
    };
    retry(await consume({ ...SOON, attempts: 25 }));
    await publish({ key: 'a', n: 1 });
    const [letter] = await eventually(dead, list => list.length === 1);
    expect(letter!.errors).toHaveLength(20);
    expect(letter!.errors.at(-1)!.error).toContain('attempt 25 ');
    for (const { error } of letter!.errors) expect(error.length).toBeLessThanOrEqual(4_000);
  });

  it('is a dead letter after its last attempt, with all it came with and every error; its key goes on', async () => {
    parking.handle = async (event, tx) => {
      if (event.n === 1) throw new Error('never');
      await recording(event, tx);
    };
    retry(await consume());
    await publish({ key: 'a', n: 1 }, { key: 'a', n: 2 });
    await progressIs({ handled: 1, parked: 0, dead: 1, discarded: 0 });
    expect(await parking.fixture.effects()).toEqual(['a2']);
    const [letter] = await dead();
    expect(letter).toMatchObject({
      subscription: 'test.follow',
      key: 'a',
      position: 1,
      reason: 'failed',
      holdsKey: false,
      status: 'dead',
      headers: { ce_type: Happened.type },
    });
    expect(JSON.parse(Buffer.from(letter!.payload, 'base64').toString())).toEqual({ key: 'a', n: 1 });
    expect(letter!.errors.map(({ error }) => error)).toEqual(
      Array.from({ length: 3 }, () => expect.stringContaining('Error: never')),
    );
  });

  it('is handled when it is replayed, once; and dies as the same letter when it fails again', async () => {
    let broken = true;
    parking.handle = async (event, tx) => {
      if (broken) throw new Error('broken');
      await recording(event, tx);
    };
    retry(await consume());
    await publish({ key: 'a', n: 1 });
    const [letter] = await eventually(dead, list => list.length === 1);
    expect(await parking.letters.replay(letter!.id, 'ann')).toBe(true);
    expect(await parking.letters.replay(letter!.id, 'ben')).toBe(false);
    const [again] = await eventually(dead, list => list.length === 1);
    expect(again!.id).toBe(letter!.id);
    broken = false;
    expect(await parking.letters.replay(letter!.id, 'ann')).toBe(true);
    await progressIs({ handled: 1, parked: 0, dead: 0, discarded: 0 });
    expect(await parking.fixture.effects()).toEqual(['a1']);
    expect(await parking.letters.list({ limit: 10, status: 'replayed' })).toMatchObject([
      { decidedBy: 'ann' },
    ]);
  });

  it('keeps its key waiting, where the policy says so, until an operator replays it', async () => {
    let broken = true;
    parking.handle = async (event, tx) => {
      if (broken && event.n === 1) throw new Error('broken');
      await recording(event, tx);
    };
    retry(await consume({ ...SOON, onDead: 'hold' }));
    await publish({ key: 'a', n: 1 }, { key: 'a', n: 2 }, { key: 'b', n: 9 });
    const [letter] = await eventually(dead, list => list.length === 1);
    await publish({ key: 'a', n: 3 });
    await progressIs({ handled: 1, parked: 3, dead: 0, discarded: 0 });
    expect(letter).toMatchObject({ holdsKey: true });
    broken = false;
    await parking.letters.replay(letter!.id, 'ann');
    await progressIs({ handled: 4, parked: 0, dead: 0, discarded: 0 });
    expect((await parking.fixture.effects()).filter(what => what.startsWith('a'))).toEqual([
      'a1',
      'a2',
      'a3',
    ]);
    expect((await countOutOfOrder(parking.fixture.database)).size).toBe(0);
  });

  it('dies at once when it does not fit its contract, also when it is replayed', async () => {
    retry(await consume());
    const bad = toWire(envelop(Happened, { key: 'a', n: 1 }), 'test');
    await parking.transport.publish([{ ...bad, payload: Buffer.from('{"key":"a","n":"one"}') }]);
    const [letter] = await eventually(dead, list => list.length === 1);
    expect(letter).toMatchObject({ reason: 'invalid' });
    await parking.letters.replay(letter!.id, 'ann');
    const [again] = await eventually(dead, list => list.length === 1);
    expect(again).toMatchObject({ id: letter!.id, reason: 'invalid' });
    expect(again!.errors).toMatchObject([{ error: expect.stringContaining('n: ') }]);
  });

  it('holds its key when it does not fit its contract, if its subscription says so', async () => {
    const declared = await consume({ ...SOON, onDead: 'hold' });
    const bad = toWire(envelop(Happened, { key: 'a', n: 2 }), 'test');
    const wire = (key: string, n: number) => toWire(envelop(Happened, { key, n }), 'test');
    await parking.transport.publish([
      wire('a', 1),
      { ...bad, payload: Buffer.from('{}') },
      wire('a', 3),
      wire('b', 1),
    ]);
    await parking.transport.publish([{ ...wire('a', 4), payload: Buffer.from('[]') }, wire('a', 5)]);
    await progressIs({ handled: 2, parked: 4, dead: 0, discarded: 0 });
    retry(declared);
    const letters = await eventually(dead, list => list.length === 2);
    expect(letters.map(({ holdsKey, reason }) => [holdsKey, reason])).toEqual([
      [true, 'invalid'],
      [true, 'invalid'],
    ]);
    const [second, first] = [...letters].sort((one, two) => two.position - one.position);
    expect(await parking.letters.discard(first!.id, 'ann', 'a test')).toBe(true);
    await progressIs({ handled: 3, parked: 2, dead: 0, discarded: 1 });
    expect(await parking.letters.discard(second!.id, 'ann', 'a test')).toBe(true);
    await progressIs({ handled: 4, parked: 0, dead: 0, discarded: 2 });
    expect(await parking.fixture.effects()).toEqual(['a1', 'b1', 'a3', 'a5']);
  });

  it('has one effect when it was held, can be read after all, and a copy of it follows', async () => {
    const good = toWire(envelop(Happened, { key: 'a', n: 1 }), 'test');
    retry(await consume({ ...SOON, onDead: 'hold' }));
    await parking.transport.publish([{ ...good, payload: Buffer.from('{}') }]);
    const [letter] = await eventually(dead, list => list.length === 1);
    await parking.fixture.database.query('UPDATE messaging.parked SET payload = $1', [good.payload]);
    expect(await parking.letters.replay(letter!.id, 'ann')).toBe(true);
    await parking.transport.publish([good]);
    await eventually(
      () => parking.transport.lag('test.follow'),
      lags => lags.every(({ lag }) => lag === 0),
    );
    await progressIs({ handled: 1, parked: 0, dead: 0, discarded: 0 });
    expect(await parking.fixture.effects()).toEqual(['a1']);
  });

  it.each(['skip', 'hold'] as const)('is given up with who and why, its key goes on (%s)', async onDead => {
    parking.handle = async (event, tx) => {
      if (event.n === 1) throw new Error('never');
      await recording(event, tx);
    };
    retry(await consume({ ...SOON, onDead }));
    await publish({ key: 'a', n: 1 }, { key: 'a', n: 2 });
    const [letter] = await eventually(dead, list => list.length === 1);
    expect(await parking.letters.discard(letter!.id, 'ann', 'a test order')).toBe(true);
    expect(await parking.letters.replay(letter!.id, 'ben')).toBe(false);
    await progressIs({ handled: 1, parked: 0, dead: 0, discarded: 1 });
    expect(await parking.letters.list({ limit: 10, status: 'discarded' })).toMatchObject([
      { decidedBy: 'ann', note: 'a test order' },
    ]);
  });

  it('is no reason to drop it that an instance has no handler for its type', async () => {
    parking.handle = () => Promise.reject(new Error('not yet'));
    const declared = await consume();
    await publish({ key: 'a', n: 1 });
    await progressIs({ handled: 0, parked: 1, dead: 0, discarded: 0 });
    retry({ ...declared, routes: new Map() });
    const [letter] = await eventually(dead, list => list.length === 1);
    expect(letter!.errors.at(-1)!.error).toContain('no handler for its type');
  });

  it('has no second effect when it did not parse, was sent again well, and is replayed', async () => {
    retry(await consume());
    const good = toWire(envelop(Happened, { key: 'a', n: 1 }), 'test');
    await parking.transport.publish([{ ...good, payload: Buffer.from('{}') }, good]);
    const [letter] = await eventually(dead, list => list.length === 1);
    await parking.fixture.settle(2);
    expect(await parking.letters.replay(letter!.id, 'ann')).toBe(true);
    await progressIs({ handled: 1, parked: 0, dead: 0, discarded: 1 });
    expect(await parking.fixture.effects()).toEqual(['a1']);
  });

  it('is given up too when its handler hides an error of the database', async () => {
    parking.handle = async (event, tx) => {
      await tx.query('SELECT 1 / 0').catch(() => undefined);
      await recording(event, tx).catch(() => undefined);
    };
    retry(await consume());
    await publish({ key: 'a', n: 1 });
    await progressIs({ handled: 0, parked: 0, dead: 1, discarded: 0 });
  });
});
