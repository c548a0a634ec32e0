import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineEvent } from '../message/define-event.js';
import { eventually, Gate, Gathered, MessagingFixture } from '#testkit';
import { DeadLetters } from '../operations/dead-letters.js';
import { MessageTooLarge, type Transport } from '../transport/transport.js';
import { Outbox } from './outbox.js';
import { TimerLoop } from './timer-loop.js';
import { Timers } from './timers.js';

const Happened = defineEvent({
  type: 'test.happened.v1',
  topic: 'test',
  key: event => event.key,
  schema: z.object({ key: z.string(), n: z.int(), note: z.string().optional() }),
});

describe('outbox and relay', () => {
  let fixture: MessagingFixture;
  let transport: Transport;
  let received: Gathered<{ key: string; n: number }>;

  beforeEach(async () => {
    fixture = await MessagingFixture.start();
    transport = fixture.transport();
    received = new Gathered();
    await transport.ensureTopics([{ name: 'test', partitions: 2 }]);
    await transport.subscribe(
      { group: 'g', topics: ['test'], mode: 'competing', startFrom: 'start', maxBatch: 10 },
      async ({ messages }) =>
        received.add(...messages.map(message => JSON.parse(message.payload.toString()) as never)),
    );
  });

  afterEach(async () => {
    await fixture.stop();
  });

  const publish = (...events: { key: string; n: number; note?: string }[]) =>
    fixture.database.transaction(tx => fixture.outbox.publish(tx, Happened, events));

  it('refuses an EntityManager with no open transaction', async () => {
    const outside = fixture.outbox.publish(fixture.database.manager, Happened, { key: 'a', n: 1 });
    await expect(outside).rejects.toThrow('no open transaction');
  });

  it('sends what commits and nothing of what rolls back', async () => {
    fixture.relay(transport);
    const failing = fixture.database.transaction(async tx => {
      await fixture.outbox.publish(tx, Happened, { key: 'a', n: 1 });
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    await publish({ key: 'a', n: 2 });
    expect(await received.count(1)).toEqual([{ key: 'a', n: 2 }]);
  });

  it('refuses an event that breaks its own contract, and one too long for the transport', async () => {
    await expect(publish({ key: 'a', n: 1.5 })).rejects.toThrow('n: ');
    await expect(publish({ key: 'x'.repeat(600), n: 1 })).rejects.toThrow('longer than 512 bytes');
    await expect(publish({ key: 'a', n: 1, note: 'x'.repeat(20_000) })).rejects.toThrow('over the limit');
    await expect(publish(...Array.from({ length: 101 }, (_, n) => ({ key: 'a', n })))).rejects.toThrow(
      'the limit is 100',
    );
  });

  it('keeps the order per key in which overlapping transactions commit', async () => {
    const gate = new Gate();
    const published = new Gate();
    const first = fixture.database.transaction(async tx => {
      await fixture.outbox.publish(tx, Happened, { key: 'a', n: 1 });
      published.release();
      await gate.opened;
    });
    await published.opened;
    const second = publish({ key: 'a', n: 2 });
    await publish({ key: 'b', n: 1 });
    fixture.relay(transport);
    await received.count(1);
    expect(received.items).toEqual([{ key: 'b', n: 1 }]);
    gate.release();
    await Promise.all([first, second]);
    await received.count(3);
    expect(received.items.filter(event => event.key === 'a')).toEqual([
      { key: 'a', n: 1 },
      { key: 'a', n: 2 },
    ]);
  });

  it('keeps the order per key when a transaction commits late, while its relay is sending later ones', async () => {
    const [late, published] = [new Gate(), new Gate()];
    const first = fixture.database.transaction(async tx => {
      await fixture.outbox.publish(tx, Happened, { key: 'x', n: 1 });
      published.release();
      await late.opened;
    });
    await published.opened;
    await publish({ key: 'y', n: 1 });
    let sending = false;
    const slow = {
      publish: async (messages: Parameters<Transport['publish']>[0]) => {
        if (!sending) {
          sending = true;
          late.release();
          await first;
          await publish({ key: 'x', n: 2 });
        }
        await transport.publish(messages);
      },
    } as unknown as Transport;
    fixture.relay(slow);
    await received.count(3);
    expect(received.items.filter(event => event.key === 'x').map(event => event.n)).toEqual([1, 2]);
  });

  it('never deadlocks two publishers of the same keys in another order', async () => {
    fixture.relay(transport);
    const keys = ['a', 'b', 'c', 'd'];
    await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        publish(...(n % 2 === 0 ? keys : [...keys].reverse()).map(key => ({ key, n }))),
      ),
    );
    expect(await received.count(160)).toHaveLength(160);
  });

  it('finds a transaction that commits after later ones were sent', async () => {
    fixture.relay(transport);
    const gate = new Gate();
    const published = new Gate();
    const late = fixture.database.transaction(async tx => {
      await fixture.outbox.publish(tx, Happened, { key: 'late', n: 0 });
      published.release();
      await gate.opened;
    });
    await published.opened;
    for (const n of [1, 2, 3]) await publish({ key: 'soon', n });
    await received.count(3);
    gate.release();
    await late;
    const events = await received.count(4);
    expect(events.at(-1)).toEqual({ key: 'late', n: 0 });
  });

  it('sends again what a relay had sent and not deleted when it died', async () => {
    await publish({ key: 'a', n: 1 });
    const dies: Transport = {
      ...transport,
      capabilities: transport.capabilities,
      publish: async messages => {
        await transport.publish(messages);
        throw new Error('killed between send and delete');
      },
    } as Transport;
    const first = fixture.relay(dies, 'same');
    await received.count(1);
    await first.stop();
    fixture.relay(transport, 'same');
    await received.count(2);
    await eventually(
      () => fixture.database.query('SELECT id FROM messaging.outbox') as Promise<unknown[]>,
      rows => rows.length === 0,
    );
    expect(new Set(received.items.map(event => JSON.stringify(event)))).toEqual(
      new Set(['{"key":"a","n":1}']),
    );
  });

  it('sends no more in one go than its limits of messages and of bytes', async () => {
    const sizes: { messages: number; bytes: number }[] = [];
    const weighing = {
      publish: async (messages: Parameters<Transport['publish']>[0]) => {
        const bytes = messages.reduce((total, { payload }) => total + payload.length, 0);
        sizes.push({ messages: messages.length, bytes });
        await transport.publish(messages);
      },
    } as unknown as Transport;
    const note = 'x'.repeat(1_000);
    await publish(...Array.from({ length: 60 }, (_, n) => ({ key: 'a', n })));
    await publish(...Array.from({ length: 20 }, (_, n) => ({ key: 'b', n, note })));
    await publish({ key: 'c', n: 1, note: note.repeat(9) });
    fixture.relay(weighing, 'one', { batch: 25, batchBytes: 5_000 });
    await received.count(81);
    expect(Math.max(...sizes.map(({ messages }) => messages))).toBe(25);
    const over = sizes.filter(({ bytes }) => bytes > 5_000);
    expect(over).toEqual([{ messages: 1, bytes: expect.any(Number) }]);
  });

  it('sends, before it ends, what was committed before it was asked to', async () => {
    const [sending, told] = [new Gate(), new Gate()];
    const held = {
      publish: async (messages: Parameters<Transport['publish']>[0]) => {
        sending.release();
        await told.opened;
        await transport.publish(messages);
      },
    } as unknown as Transport;
    const relay = fixture.relay(held, 'one', { batchBytes: 100 });
    await publish({ key: 'a', n: 1 });
    relay.wake();
    await sending.opened;
    // More than fits into one send.
    const note = 'x'.repeat(100);
    await publish(...Array.from({ length: 5 }, (_, n) => ({ key: 'a', n, note })));
    const stopped = relay.stop();
    told.release();
    await stopped;
    expect(await fixture.database.query('SELECT id FROM messaging.outbox')).toEqual([]);
    expect(await received.count(6)).toHaveLength(6);
  });

  it('frees the space of what it has sent after so many rows, and goes on sending', async () => {
    fixture.relay(transport);
    const vacuums = async () => {
      await fixture.database.query('SELECT pg_stat_clear_snapshot()');
      const [{ count }] = (await fixture.database.query(
        `SELECT vacuum_count::int AS count FROM pg_stat_all_tables
         WHERE schemaname = 'messaging' AND relname = 'outbox'`,
      )) as [{ count: number }];
      return count;
    };
    for (let n = 0; n < 60; n += 1) await publish({ key: 'a', n });
    expect((await received.count(60)).map(({ n }) => n)).toEqual(Array.from({ length: 60 }, (_, n) => n));
    expect(await eventually(vacuums, count => count >= 2)).toBeGreaterThanOrEqual(2);
  });

  it('lets one relay send at a time', async () => {
    const sent = new Gathered<string>();
    const counting = (name: string): Transport =>
      ({
        publish: async (messages: Parameters<Transport['publish']>[0]) => {
          sent.add(...messages.map(() => name));
          await transport.publish(messages);
        },
      }) as unknown as Transport;
    fixture.relay(counting('one'), 'one');
    await publish({ key: 'a', n: 0 });
    await sent.count(1);
    fixture.relay(counting('two'), 'two');
    for (let n = 1; n <= 10; n += 1) await publish({ key: 'a', n });
    await received.count(11);
    expect(new Set(sent.items)).toEqual(new Set(['one']));
  });

  it('brings a bare text, a number and nothing at all as they went in, also by a timer', async () => {
    const Said = defineEvent({
      type: 'test.said.v1',
      topic: 'test',
      key: () => 'k',
      schema: z.union([z.string(), z.number(), z.null()]),
    });
    fixture.relay(transport);
    const said = ['a "text"', '12', 12.5, null];
    await fixture.database.transaction(tx => fixture.outbox.publish(tx, Said, said));
    expect(await received.count(4)).toEqual(said);
    const timers = new Timers({ maxEvents: 10, maxMessageBytes: 10_000 });
    await fixture.database.transaction(tx =>
      timers.schedule(tx, Said, [{ event: 'later', dueAt: new Date(0) }]),
    );
    const loop = new TimerLoop(fixture.database, () => undefined);
    loop.start();
    expect((await received.count(5)).at(-1)).toBe('later');
    await loop.stop();
  });

  it('refuses an event of a topic that the service has not declared, and says what to do', async () => {
    const limits = { maxEvents: 10, maxMessageBytes: 10_000, topics: ['other'] };
    const declared = new Outbox(limits);
    const timers = new Timers(limits);
    const event = { key: 'a', n: 1 };
    await expect(fixture.database.transaction(tx => declared.publish(tx, Happened, event))).rejects.toThrow(
      'add it to `publishes`',
    );
    await expect(
      fixture.database.transaction(tx => timers.schedule(tx, Happened, [{ event, dueAt: new Date() }])),
    ).rejects.toThrow('add it to `publishes`');
  });

  it('sets aside what the queue refuses for good, sends the rest in order, and sends it when it is replayed', async () => {
    const Stray = defineEvent({ ...Happened, type: 'test.strayed.v1', topic: 'stray' });
    const note = 'x'.repeat(5_000);
    await publish({ key: 'a', n: 1 }, { key: 'a', n: 2, note }, { key: 'a', n: 3 });
    await fixture.database.transaction(tx => fixture.outbox.publish(tx, Stray, { key: 's', n: 4 }));
    await publish({ key: 'b', n: 5 });
    // A queue whose limit is lower than the one that the event was checked against.
    let limit = 1_000;
    const strict = {
      publish: (messages: Parameters<Transport['publish']>[0]) => {
        const long = messages.find(({ payload }) => payload.length > limit);
        if (long === undefined) return transport.publish(messages);
        return Promise.reject(new MessageTooLarge(long.topic, long.key, long.payload.length, limit));
      },
    } as unknown as Transport;
    fixture.relay(strict);
    await received.until(events => new Set(events.map(({ n }) => n)).size === 3);
    expect([...new Set(received.items.filter(({ key }) => key === 'a').map(({ n }) => n))]).toEqual([1, 3]);
    const letters = new DeadLetters(fixture.database);
    const refused = await eventually(
      () => letters.list({ limit: 10, status: 'dead', filter: { reason: 'refused' } }),
      list => list.length === 2,
    );
    expect(refused.map(({ subscription, topic }) => `${subscription} ${topic}`).sort()).toEqual([
      'test.outbox stray',
      'test.outbox test',
    ]);
    const long = refused.find(({ topic }) => topic === 'test')!;
    const stray = refused.find(({ topic }) => topic === 'stray')!;
    expect(await letters.discard(stray.id, 'ann', 'nobody needs it')).toBe(true);
    limit = 10_000;
    expect(await letters.replay(long.id, 'ann')).toBe(true);
    await received.until(events => events.some(({ n }) => n === 2));
    expect(await fixture.database.query('SELECT FROM messaging.outbox WHERE topic = $1', ['stray'])).toEqual(
      [],
    );
  });
});
