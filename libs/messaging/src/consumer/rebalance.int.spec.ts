import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { effect, eventually, following, Gate, Gathered, Happened, MessagingFixture } from '#testkit';
import { envelop, toWire } from '../message/envelope.js';
import type { Batch, Transport } from '../transport/transport.js';
import { Consumer } from './consumer.js';

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** A consumer whose handler waits at its gate. */
class Instance {
  gate = new Gate();
  /** What its transport has handed to it. */
  readonly given = new Gathered<string>();
  /** What its handler has begun. */
  readonly begun = new Gathered<string>();

  constructor(
    private readonly fixture: MessagingFixture,
    readonly transport: Transport,
  ) {}

  async join(): Promise<this> {
    const declared = {
      ...following(async ({ key, n }, tx) => {
        this.begun.add(`${key}${n}`);
        await this.gate.opened;
        await effect(tx, `${key}${n}`);
      }),
      // A message in each transaction: a batch in hand has more to do when its partition is gone.
      batch: 1,
    };
    const consumer = new Consumer(declared, this.fixture.database);
    const handle = (batch: Batch) => {
      this.given.add(...batch.messages.map(({ payload }) => nameOf(payload)));
      return consumer.handle(batch);
    };
    await this.fixture.subscribe(this.transport, declared, { handle });
    return this;
  }
}

describe('a rebalance while messages are being handled', () => {
  let fixture: MessagingFixture;
  let first: Instance;

  beforeEach(async () => {
    fixture = await MessagingFixture.start();
    first = await new Instance(fixture, fixture.transport('first')).join();
  });

  afterEach(async () => {
    await fixture.stop();
  });

  /** One message of each key. */
  const publish = (n: number) =>
    first.transport.publish(KEYS.map(key => toWire(envelop(Happened, { key, n }), 'test')));
  const effectsAre = (count: number) =>
    eventually(
      () => fixture.effects(),
      effects => effects.length >= count,
    );
  const owners = async () => (await first.transport.lag('test.follow')).map(({ owner }) => owner);
  const ofKey = (effects: readonly string[], key: string) => effects.filter(what => what.startsWith(key));
  const rounds = (key: string, count: number) => Array.from({ length: count }, (_, n) => `${key}${n + 1}`);

  async function expectOnceInOrder(count: number): Promise<void> {
    const effects = await fixture.effects();
    expect(Object.fromEntries(KEYS.map(key => [key, ofKey(effects, key)]))).toEqual(
      Object.fromEntries(KEYS.map(key => [key, rounds(key, count)])),
    );
  }

  it('has one effect of each message, in the order of its key, when an instance joins and leaves again', async () => {
    await publish(1);
    // One of each partition.
    await first.begun.count(2);
    const second = await new Instance(fixture, fixture.transport(randomUUID())).join();
    await publish(2);
    second.gate.release();
    first.gate.release();
    await eventually(owners, list => new Set(list).size === 2 && !list.includes(undefined));
    await effectsAre(2 * KEYS.length);
    second.gate = new Gate();
    const before = second.begun.items.length;
    await publish(3);
    await second.begun.count(before + 1);
    const left = second.transport.close();
    await publish(4);
    second.gate.release();
    await left;
    await publish(5);
    await effectsAre(5 * KEYS.length);
    await expectOnceInOrder(5);
  });

  it('has one effect of each message that another instance is given before its handler is done', async () => {
    await publish(1);
    await publish(2);
    await first.begun.count(2);
    // Of the same name: it takes its predecessor for dead, and does not wait for it.
    const successor = await new Instance(fixture, fixture.transport('first')).join();
    successor.gate.release();
    const inHand = first.begun.items.slice(0, 2);
    await successor.given.until(given => given.some(what => inHand.includes(what)));
    first.gate.release();
    await effectsAre(2 * KEYS.length);
    await publish(3);
    await effectsAre(3 * KEYS.length);
    await expectOnceInOrder(3);
  });
});

function nameOf(payload: Buffer): string {
  const { key, n } = JSON.parse(payload.toString()) as { key: string; n: number };
  return `${key}${n}`;
}
