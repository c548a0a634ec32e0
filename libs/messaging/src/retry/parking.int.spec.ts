import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { effect, eventually, Gate, MessagingFixture } from '#testkit';
import { Consumer } from '../consumer/consumer.js';
import { DependencyUnavailable } from '../consumer/infrastructure-error.js';
import type { Subscription } from '../consumer/subscription.js';
import { DeadLetters } from '../dead-letter/dead-letters.js';
import { defineEvent } from '../message/define-event.js';
import { OUT_OF_ORDER } from '../inbox/sql.js';
import { envelop, Header, toWire } from '../message/envelope.js';
import type { Transport } from '../transport/transport.js';
import { DEFAULT_ALERTS } from '../control/alert-policy.js';
import { DEFAULT_RETRY, type RetryPolicy } from './policy.js';
import { Retrier } from './retrier.js';

const schema = z.object({ key: z.string(), n: z.int() });
const Happened = defineEvent({ type: 'test.happened.v1', topic: 'test', key: event => event.key, schema });
type Event = z.output<typeof schema>;

const SOON: RetryPolicy = { ...DEFAULT_RETRY, attempts: 3, firstMs: 1, longestMs: 1 };

describe('a message whose handler fails', () => {
  let fixture: MessagingFixture;
  let transport: Transport;
  let letters: DeadLetters;
  let retriers: Retrier[] = [];
  let handle: (event: Event, tx: EntityManager) => Promise<void>;

  const recording = (event: Event, tx: EntityManager) => effect(tx, `${event.key}${event.n}`);

  beforeEach(async () => {
    fixture = await MessagingFixture.start();
    transport = fixture.transport();
    letters = new DeadLetters(fixture.database);
    handle = recording;
    await transport.ensureTopics([{ name: 'test', partitions: 1 }]);
  });

  afterEach(async () => {
    await Promise.all(retriers.map(retrier => retrier.stop()));
    retriers = [];
    await fixture.stop();
  });

  function subscription(retry: RetryPolicy): Subscription {
    const invoke = (data: unknown, { tx }: { tx: EntityManager | undefined }) => handle(data as Event, tx!);
    const routes = new Map([[Happened.type, { definition: Happened, takesBatch: false, invoke }]]);
    return {
      name: 'test.follow',
      routes,
      mode: 'competing',
      startFrom: 'start',
      batch: 50,
      retry,
      alert: DEFAULT_ALERTS,
    };
  }

  async function consume(retry = SOON, maxParked?: number): Promise<Subscription> {
    const declared = subscription(retry);
    await fixture.subscribe(transport, declared, new Consumer(declared, fixture.database, maxParked));
    return declared;
  }

  function retry(declared: Subscription): Retrier {
    const retrier = new Retrier(fixture.database, [declared], { pollMs: 5, maxBackoffMs: 20 });
    retriers.push(retrier);
    retrier.start();
    return retrier;
  }

  let sequence = 0;
  const publish = (...events: Event[]) =>
    transport.publish(
      events.map(event => {
        const { headers, ...message } = toWire(envelop(Happened, event), 'test');
        return { ...message, headers: { ...headers, [Header.sequence]: String((sequence += 1)) } };
      }),
    );
  const outOfOrder = () => fixture.database.query(OUT_OF_ORDER);

  async function progress(): Promise<Record<string, number>> {
    const [row] = (await fixture.database.query(
      'SELECT handled::int, parked::int, dead::int, discarded::int FROM messaging.progress',
    )) as [Record<string, number>];
    return row;
  }
  const progressIs = (expected: Record<string, number>) =>
    eventually(progress, row => JSON.stringify(row) === JSON.stringify(expected));
  const dead = () => letters.list({ limit: 10, status: 'dead' });

  it('stops its key and no other, and its key goes on in order when it can be handled', async () => {
    let broken = true;
    handle = async (event, tx) => {
      if (broken && event.key === 'a' && event.n === 1) throw new Error('not yet');
      await recording(event, tx);
    };
    const declared = await consume({ ...SOON, attempts: 1_000 });
    await publish({ key: 'a', n: 1 }, { key: 'a', n: 2 }, { key: 'b', n: 1 });
    await publish({ key: 'a', n: 3 }, { key: 'b', n: 2 });
    await progressIs({ handled: 2, parked: 3, dead: 0, discarded: 0 });
    expect(await fixture.effects()).toEqual(['b1', 'b2']);
    retry(declared);
    broken = false;
    await progressIs({ handled: 5, parked: 0, dead: 0, discarded: 0 });
    expect(await fixture.effects()).toEqual(['b1', 'b2', 'a1', 'a2', 'a3']);
    expect(await dead()).toEqual([]);
    expect(await outOfOrder()).toEqual([]);
  });

  it('is a dead letter after its last attempt, with all it came with and every error; its key goes on', async () => {
    handle = async (event, tx) => {
      if (event.n === 1) throw new Error('never');
      await recording(event, tx);
    };
    retry(await consume());
    await publish({ key: 'a', n: 1 }, { key: 'a', n: 2 });
    await progressIs({ handled: 1, parked: 0, dead: 1, discarded: 0 });
    expect(await fixture.effects()).toEqual(['a2']);
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
    handle = async (event, tx) => {
      if (broken) throw new Error('broken');
      await recording(event, tx);
    };
    retry(await consume());
    await publish({ key: 'a', n: 1 });
    const [letter] = await eventually(dead, list => list.length === 1);
    expect(await letters.replay(letter!.id, 'ann')).toBe(true);
    expect(await letters.replay(letter!.id, 'ben')).toBe(false);
    const [again] = await eventually(dead, list => list.length === 1);
    expect(again!.id).toBe(letter!.id);
    broken = false;
    expect(await letters.replay(letter!.id, 'ann')).toBe(true);
    await progressIs({ handled: 1, parked: 0, dead: 0, discarded: 0 });
    expect(await fixture.effects()).toEqual(['a1']);
    expect(await letters.list({ limit: 10, status: 'replayed' })).toMatchObject([{ decidedBy: 'ann' }]);
  });

  it('keeps its key waiting, where the policy says so, until an operator replays it', async () => {
    let broken = true;
    handle = async (event, tx) => {
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
    await letters.replay(letter!.id, 'ann');
    await progressIs({ handled: 4, parked: 0, dead: 0, discarded: 0 });
    expect((await fixture.effects()).filter(what => what.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
    expect(await outOfOrder()).toEqual([]);
  });

  it('dies at once when it does not fit its contract, also when it is replayed', async () => {
    retry(await consume());
    const bad = toWire(envelop(Happened, { key: 'a', n: 1 }), 'test');
    await transport.publish([{ ...bad, payload: Buffer.from('{"key":"a","n":"one"}') }]);
    const [letter] = await eventually(dead, list => list.length === 1);
    expect(letter).toMatchObject({ reason: 'invalid' });
    await letters.replay(letter!.id, 'ann');
    const [again] = await eventually(dead, list => list.length === 1);
    expect(again).toMatchObject({ id: letter!.id, reason: 'invalid' });
    expect(again!.errors).toMatchObject([{ error: expect.stringContaining('n: ') }]);
  });

  it.each(['skip', 'hold'] as const)('is given up with who and why, its key goes on (%s)', async onDead => {
    handle = async (event, tx) => {
      if (event.n === 1) throw new Error('never');
      await recording(event, tx);
    };
    retry(await consume({ ...SOON, onDead }));
    await publish({ key: 'a', n: 1 }, { key: 'a', n: 2 });
    const [letter] = await eventually(dead, list => list.length === 1);
    expect(await letters.discard(letter!.id, 'ann', 'a test order')).toBe(true);
    expect(await letters.replay(letter!.id, 'ben')).toBe(false);
    await progressIs({ handled: 1, parked: 0, dead: 0, discarded: 1 });
    expect(await letters.list({ limit: 10, status: 'discarded' })).toMatchObject([
      { decidedBy: 'ann', note: 'a test order' },
    ]);
  });

  it('is no reason to drop it that an instance has no handler for its type', async () => {
    handle = () => Promise.reject(new Error('not yet'));
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
    await transport.publish([{ ...good, payload: Buffer.from('{}') }, good]);
    const [letter] = await eventually(dead, list => list.length === 1);
    await fixture.settle(2);
    expect(await letters.replay(letter!.id, 'ann')).toBe(true);
    await progressIs({ handled: 1, parked: 0, dead: 0, discarded: 1 });
    expect(await fixture.effects()).toEqual(['a1']);
  });

  it('is given up too when its handler hides an error of the database', async () => {
    handle = async (event, tx) => {
      await tx.query('SELECT 1 / 0').catch(() => undefined);
      await recording(event, tx).catch(() => undefined);
    };
    retry(await consume());
    await publish({ key: 'a', n: 1 });
    await progressIs({ handled: 0, parked: 0, dead: 1, discarded: 0 });
  });

  it('does not keep others from their turn while it waits for an outage', async () => {
    let broken = true;
    handle = async (event, tx) => {
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
    expect(await fixture.effects()).toEqual(['b1']);
  });

  it('shares what its handler writes with the batches that go on meanwhile', async () => {
    await fixture.database.query('CREATE TABLE counter (n int NOT NULL)');
    await fixture.database.query('INSERT INTO counter VALUES (0)');
    let broken = true;
    handle = async (event, tx) => {
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
    expect(await fixture.database.query('SELECT n FROM counter')).toEqual([{ n: 105 }]);
  });

  it('is tried by one of several instances at a time', async () => {
    const gate = new Gate();
    let [failed, calls] = [false, 0];
    handle = async (event, tx) => {
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
    expect(await fixture.effects()).toEqual(['a1', 'a2']);
  });

  it('has no attempt counted for an outage', async () => {
    let state: 'broken' | 'away' | 'well' = 'broken';
    let outages = 0;
    handle = async (event, tx) => {
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
    expect(await fixture.database.query('SELECT attempts FROM messaging.parked')).toEqual([{ attempts: 1 }]);
    state = 'well';
    await progressIs({ handled: 1, parked: 0, dead: 0, discarded: 0 });
  });

  it('makes its subscription wait when too many are parked, and go on when they are handled', async () => {
    let broken = true;
    handle = async (event, tx) => {
      if (broken) throw new Error('everything is broken');
      await recording(event, tx);
    };
    const declared = await consume({ ...SOON, attempts: 1_000 }, 3);
    await publish(...Array.from({ length: 6 }, (_, n) => ({ key: `k${n}`, n })));
    await progressIs({ handled: 0, parked: 3, dead: 0, discarded: 0 });
    broken = false;
    retry(declared);
    await progressIs({ handled: 6, parked: 0, dead: 0, discarded: 0 });
    expect((await fixture.effects()).sort()).toEqual(Array.from({ length: 6 }, (_, n) => `k${n}${n}`));
  });
});
