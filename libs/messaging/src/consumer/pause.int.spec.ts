import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { effect, eventually, Gate, Gathered, MessagingFixture } from '#testkit';
import { pause as pauseSubscription, resume as resumeSubscription } from './pause.js';
import { defineEvent } from '../message/define-event.js';
import { envelop, toWire } from '../message/envelope.js';
import { DEFAULT_RETRY } from '../parking/retry-policy.js';
import { Retrier } from './retrier.js';
import type { Transport } from '../transport/transport.js';
import { Consumer } from './consumer.js';
import type { Subscription } from './subscription.js';

const schema = z.object({ key: z.string(), n: z.int() });
const Happened = defineEvent({ type: 'test.happened.v1', topic: 'test', key: event => event.key, schema });
type Event = z.output<typeof schema>;

describe('a paused subscription', () => {
  let fixture: MessagingFixture;
  let transport: Transport;
  let started: Gathered<Event>;
  let gate: Gate;
  let broken: boolean;

  beforeEach(async () => {
    fixture = await MessagingFixture.start();
    transport = fixture.transport();
    await transport.ensureTopics([{ name: 'test', partitions: 2 }]);
    [started, gate, broken] = [new Gathered(), new Gate(), false];
    gate.release();
  });

  afterEach(async () => {
    await fixture.stop();
  });

  const subscription: Subscription = {
    name: 'test.follow',
    mode: 'competing',
    startFrom: 'start',
    batch: 10,
    retry: { ...DEFAULT_RETRY, firstMs: 1, longestMs: 1, attempts: 1_000 },
    routes: new Map([
      [
        Happened.type,
        {
          definition: Happened,
          takesBatch: false,
          async invoke(data, { tx }) {
            const event = data as Event;
            started.add(event);
            await gate.opened;
            if (broken) throw new Error('broken');
            await effect(tx!, `${event.key}${event.n}`);
          },
        },
      ],
    ]),
  };

  async function consume(on: Transport = transport): Promise<Consumer> {
    const consumer = new Consumer(subscription, fixture.database);
    await fixture.subscribe(on, subscription, consumer);
    return consumer;
  }

  const publish = (...events: Event[]) =>
    transport.publish(events.map(event => toWire(envelop(Happened, event), 'test')));
  const pause = () =>
    fixture.database.transaction(tx => pauseSubscription(tx, subscription.name, 'ann', 'a test'));
  const resume = () => fixture.database.transaction(tx => resumeSubscription(tx, subscription.name));
  const lag = async () => (await transport.lag('test.follow')).reduce((sum, each) => sum + each.lag, 0);
  /** The transport learns of a settled message a moment later. */
  const lagIs = (expected: number) => eventually(lag, now => now === expected);

  it('handles nothing on any instance, loses nothing, and goes on where it was', async () => {
    await consume();
    await consume(fixture.transport());
    await publish({ key: 'a', n: 1 }, { key: 'b', n: 1 });
    await fixture.settle(2);
    await pause();
    await publish({ key: 'a', n: 2 }, { key: 'b', n: 2 }, { key: 'c', n: 2 });
    await lagIs(3);
    // Another subscription's progress shows that time has passed for this one too.
    const other = new Gathered<string>();
    await transport.subscribe(
      { group: 'other', topics: ['test'], mode: 'competing', startFrom: 'start', maxBatch: 10 },
      async ({ messages }) => other.add(...messages.map(message => message.key)),
    );
    await other.count(5);
    expect(started.items).toHaveLength(2);
    await resume();
    await fixture.settle(5);
    expect((await fixture.effects()).sort()).toEqual(['a1', 'a2', 'b1', 'b2', 'c2']);
  });

  it('finishes the batch that was under way, and begins no other', async () => {
    gate = new Gate();
    await consume();
    await publish({ key: 'a', n: 1 });
    await started.count(1);
    await pause();
    await publish({ key: 'a', n: 2 });
    gate.release();
    await fixture.settle(1);
    expect(await fixture.effects()).toEqual(['a1']);
    await lagIs(1);
    await resume();
    await fixture.settle(2);
  });

  it('tries no parked message either', async () => {
    broken = true;
    const looks = new Gathered<number>();
    const watched = new Proxy(fixture.database, {
      get(database, name) {
        if (name === 'query') looks.add(looks.items.length);
        const value: unknown = Reflect.get(database, name);
        return typeof value === 'function' ? (value.bind(database) as unknown) : value;
      },
    });
    const retrier = new Retrier(watched, [subscription], { pollMs: 5, maxBackoffMs: 20 });
    await consume();
    await publish({ key: 'a', n: 1 });
    await fixture.settled.until(signals => signals.some(({ parked }) => parked === 1));
    await pause();
    const before = started.items.length;
    broken = false;
    retrier.start();
    // Each look for what is due ends before the next begins.
    await looks.count(5);
    expect(started.items).toHaveLength(before);
    await resume();
    await fixture.settle(1);
    await retrier.stop();
  });

  it('lets its consumer close, and what was in hand is handled by the next', async () => {
    const leaving = fixture.transport();
    const consumer = await consume(leaving);
    await pause();
    await publish({ key: 'a', n: 1 });
    await eventually(
      async () => (await transport.lag('test.follow')).some(({ owner }) => owner !== undefined),
      owned => owned,
    );
    consumer.close();
    await leaving.close();
    await lagIs(1);
    await resume();
    await consume();
    await fixture.settle(1);
    expect(await fixture.effects()).toEqual(['a1']);
  });
});
