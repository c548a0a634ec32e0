import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { effect, Gathered, MessagingFixture } from '#testkit';
import { defineEvent } from '../message/define-event.js';
import { envelop, Header, toWire } from '../message/envelope.js';
import type { Batch, Transport } from '../transport/transport.js';
import { countOutOfOrder } from './inbox.js';
import { Consumer } from './consumer.js';
import { DEFAULT_RETRY } from '../parking/retry-policy.js';
import { DependencyUnavailable } from '../runtime/infrastructure-error.js';
import { failedChannel } from './signals.js';
import type { Delivery, Subscription } from './subscription.js';

const schema = z.object({ key: z.string(), n: z.int() });
const Happened = defineEvent({ type: 'test.happened.v1', topic: 'test', key: event => event.key, schema });
const Ignored = defineEvent({ type: 'test.ignored.v1', topic: 'test', key: event => event.key, schema });
type Event = z.output<typeof schema>;

describe('consumer', () => {
  let fixture: MessagingFixture;
  let transport: Transport;

  beforeEach(async () => {
    fixture = await MessagingFixture.start();
    transport = fixture.transport();
    await transport.ensureTopics([{ name: 'test', partitions: 1 }]);
  });

  afterEach(async () => {
    await fixture.stop();
  });

  const wire = (event: Event, definition = Happened) => toWire(envelop(definition, event), 'test');

  function subscription(
    handle: (events: Event[], delivery: Delivery) => Promise<void>,
    batch = 50,
  ): Subscription {
    const invoke = (data: unknown, delivery: Delivery) => handle(data as Event[], delivery);
    const routes = new Map([[Happened.type, { definition: Happened, takesBatch: true, invoke }]]);
    return {
      name: 'test.follow',
      routes,
      mode: 'competing',
      startFrom: 'start',
      batch,
      retry: DEFAULT_RETRY,
    };
  }

  const recording = (events: Event[], { tx }: Delivery) =>
    events.reduce((done, { key, n }) => done.then(() => effect(tx!, `${key}${n}`)), Promise.resolve());

  async function start(
    handle: (events: Event[], delivery: Delivery) => Promise<void> = recording,
    batch?: number,
  ) {
    const declared = subscription(handle, batch);
    const consumer = new Consumer(declared, fixture.database);
    await fixture.subscribe(transport, declared, consumer);
    return consumer;
  }

  async function progress() {
    const [row] = (await fixture.database.query(
      `SELECT handled::int, skipped::int, duplicate::int, parked::int, dead::int FROM messaging.progress`,
    )) as [Record<string, number>];
    return row;
  }

  it('has one effect of a message that was appended twice', async () => {
    const message = wire({ key: 'a', n: 1 });
    await transport.publish([message, message]);
    await transport.publish([message]);
    await start();
    await fixture.settle(3);
    expect(await fixture.effects()).toEqual(['a1']);
    expect(await progress()).toEqual({ handled: 1, skipped: 0, duplicate: 2, parked: 0, dead: 0 });
  });

  it('has one effect of a batch that was delivered twice', async () => {
    const headers = { ...wire({ key: 'a', n: 1 }).headers };
    const payload = Buffer.from('{"key":"a","n":1}');
    const batch: Batch = {
      topic: 'other',
      partition: 0,
      epoch: 1,
      signal: new AbortController().signal,
      messages: [{ topic: 'other', key: 'a', headers, payload, position: 1, appendedAt: new Date() }],
    };
    const once = new Consumer({ ...subscription(recording), name: 'test.twice' }, fixture.database);
    await once.handle(batch);
    await once.handle(batch);
    expect(await fixture.effects()).toEqual(['a1']);
  });

  it('rolls back everything a failing handler did, what it published too, and parks the message', async () => {
    await transport.publish([wire({ key: 'a', n: 1 })]);
    await start(async (events, delivery) => {
      await recording(events, delivery);
      await fixture.outbox.publish(delivery.tx!, Happened, { key: 'from handler', n: 1 });
      throw new Error('after the writes');
    });
    await fixture.settled.until(signals => signals.some(signal => signal.parked === 1));
    expect(await fixture.effects()).toEqual([]);
    expect(await fixture.database.query('SELECT * FROM messaging.outbox')).toEqual([]);
    const parked = 'SELECT key, attempts, errors FROM messaging.parked';
    expect(await fixture.database.query(parked)).toEqual([
      {
        key: 'a',
        attempts: 1,
        errors: [{ at: expect.any(String), error: expect.stringContaining('after the writes') }],
      },
    ]);
    expect(await progress()).toEqual({ handled: 0, skipped: 0, duplicate: 0, parked: 1, dead: 0 });
  });

  it('halves a failing batch until the failing message is alone; what is of its key waits, all else is handled', async () => {
    const sizes: number[] = [];
    await transport.publish([
      ...Array.from({ length: 7 }, (_, n) => wire({ key: 'a', n })),
      wire({ key: 'b', n: 7 }),
    ]);
    await start(async (events, delivery) => {
      sizes.push(events.length);
      if (events.some(event => event.n === 5)) throw new Error('not five');
      await recording(events, delivery);
    });
    await fixture.settle(6);
    expect(await fixture.effects()).toEqual(['a0', 'a1', 'a2', 'a3', 'a4', 'b7']);
    expect(sizes.slice(0, 5)).toEqual([8, 4, 4, 2, 1]);
    const parked = 'SELECT position::int, attempts FROM messaging.parked ORDER BY position';
    expect(await fixture.database.query(parked)).toEqual([
      { position: 6, attempts: 1 },
      { position: 7, attempts: 0 },
    ]);
  });

  it('parks nothing for an outage, and goes on by itself when it is over', async () => {
    const failures = new Gathered<unknown>();
    const listen = (signal: unknown) => failures.add(signal);
    failedChannel.subscribe(listen);
    let away = true;
    await transport.publish([wire({ key: 'a', n: 1 }), wire({ key: 'a', n: 2 })]);
    await start(async (events, delivery) => {
      if (away) throw new DependencyUnavailable('the outside', 'it is away');
      await recording(events, delivery);
    });
    await failures.count(2);
    expect(await fixture.database.query('SELECT * FROM messaging.parked')).toEqual([]);
    away = false;
    await fixture.settle(2);
    expect(await fixture.effects()).toEqual(['a1', 'a2']);
    failedChannel.unsubscribe(listen);
  });

  it('sets a message aside that does not parse, whole, and goes on', async () => {
    const bad = { ...wire({ key: 'a', n: 1 }), payload: Buffer.from('{"key":"a","n":"one"}') };
    const binary = { ...wire({ key: 'a', n: 2 }), payload: Buffer.from([0xff, 0x00, 0xfe]) };
    const nameless = { topic: 'test', key: 'a', headers: {}, payload: Buffer.from('x') };
    const good = wire({ key: 'a', n: 2 });
    const endless = { ...good, headers: { ...good.headers, [Header.id]: 'x'.repeat(9_000) } };
    const odd = { ...good, headers: { ...good.headers, [Header.source]: '/odd\0' } };
    await transport.publish([bad, binary, nameless, endless, odd, wire({ key: 'a', n: 3 })]);
    await start();
    await fixture.settle(6);
    expect(await fixture.effects()).toEqual(['a2', 'a3']);
    const dead = (await fixture.database.query(
      'SELECT payload, headers, errors, reason FROM messaging.dead_letter ORDER BY position',
    )) as { payload: Buffer; headers: string; errors: { error: string }[]; reason: string }[];
    expect(dead.map(letter => letter.payload)).toEqual(
      [bad, binary, nameless, endless].map(each => each.payload),
    );
    expect(JSON.parse(dead[0]!.headers)).toEqual(bad.headers);
    expect(dead.map(letter => letter.errors[0]!.error)).toEqual([
      expect.stringContaining('n: '),
      expect.stringContaining('not JSON'),
      expect.stringContaining('ce_type is missing'),
      expect.stringContaining('ce_id is missing'),
    ]);
    expect(await progress()).toEqual({ handled: 2, skipped: 0, duplicate: 0, parked: 0, dead: 4 });
  });

  it('passes over what it has no handler for, whatever its batch size', async () => {
    await transport.publish([
      wire({ key: 'a', n: 1 }, Ignored),
      wire({ key: 'a', n: 2 }),
      wire({ key: 'a', n: 3 }, Ignored),
      wire({ key: 'a', n: 4 }),
    ]);
    await start(recording, 1);
    await fixture.settle(4);
    expect(await fixture.effects()).toEqual(['a2', 'a4']);
    expect(await progress()).toEqual({ handled: 2, skipped: 2, duplicate: 0, parked: 0, dead: 0 });
  });

  it('knows of every message that was handled after a later one of its key', async () => {
    const numbered = (event: Event, sequence: string) => {
      const message = wire(event);
      return { ...message, headers: { ...message.headers, [Header.sequence]: sequence } };
    };
    await fixture.database.transaction(tx =>
      fixture.outbox.publish(tx, Happened, [
        { key: 'a', n: 1 },
        { key: 'a', n: 2 },
      ]),
    );
    fixture.relay(transport);
    await start();
    await fixture.settle(2);
    expect((await countOutOfOrder(fixture.database)).size).toBe(0);
    await transport.publish([
      numbered({ key: 'b', n: 2 }, '0000000000000000002'),
      numbered({ key: 'c', n: 3 }, '0000000000000000003'),
      numbered({ key: 'b', n: 1 }, '0000000000000000001'),
      numbered({ key: 'd', n: 1 }, 'counted otherwise'),
      numbered({ key: 'd', n: 2 }, '9'.repeat(30)),
    ]);
    await fixture.settle(7);
    expect([...(await countOutOfOrder(fixture.database))]).toEqual([['test.follow', 1]]);
  });

  it('refuses an owner that a later one has overtaken', async () => {
    const consumer = new Consumer(subscription(recording), fixture.database);
    const batch = (epoch: number, position: number): Batch => ({
      topic: 'test',
      partition: 7,
      epoch,
      signal: new AbortController().signal,
      messages: [{ ...wire({ key: 'a', n: position }), position, appendedAt: new Date() }],
    });
    await consumer.handle(batch(1, 1));
    await consumer.handle(batch(2, 2));
    await expect(consumer.handle(batch(1, 3))).rejects.toThrow('stale owner');
    expect(await fixture.effects()).toEqual(['a1', 'a2']);
  });

  it('counts what the queue has lost apart from what was never there, and each lost message once', async () => {
    const consumer = new Consumer(subscription(recording), fixture.database);
    const batch = (positions: number[], lost: Batch['lost'] = []): Batch => ({
      topic: 'test',
      partition: 7,
      epoch: 1,
      lost,
      signal: new AbortController().signal,
      messages: positions.map(position => ({
        ...wire({ key: 'a', n: position }),
        position,
        appendedAt: new Date(),
      })),
    });
    await consumer.handle(batch([1]));
    const second = batch(
      [4, 9],
      [
        { from: 2, to: 3 },
        { from: 6, to: 7 },
      ],
    );
    await consumer.handle(second);
    await consumer.handle(second);
    const counts = 'SELECT handled::int, skipped::int, lost::int FROM messaging.progress';
    expect(await fixture.database.query(counts)).toEqual([{ handled: 3, skipped: 2, lost: 4 }]);
  });
});
