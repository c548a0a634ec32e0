import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Batch,
  MessageTooLarge,
  type SubscribeOptions,
  type Transport,
  UnknownTopic,
  type WireMessage,
} from '#messaging';
import { eventually, Gate, Gathered } from './gather.js';
import { TransportWorker } from './transport-worker-handle.js';
import type { WorkerOrder } from './transport-worker.js';

/** What a transport brings to be examined. */
export interface TransportUnderTest {
  /** A connection as an instance of its own. Its lease, where it has one, is short. */
  connect(): Transport;
  /** How long a silent instance keeps its partitions, in ms. */
  readonly leaseMs: number;
  /** The module that a worker process connects with, and what to hand to its `connect`. */
  worker(): Pick<WorkerOrder, 'module' | 'options'>;
  /** Restarts the server; resolves when it takes connections again. */
  restartServer(): Promise<void>;
  stop(): Promise<void>;
}

/** Holds a transport to everything that the port promises. */
export function transportContract(name: string, start: () => Promise<TransportUnderTest>): void {
  describe(`transport contract: ${name}`, () => {
    let subject: TransportUnderTest;
    let opened: Transport[] = [];
    let workers: TransportWorker[] = [];

    beforeAll(async () => {
      subject = await start();
    });

    afterEach(async () => {
      await Promise.all(workers.map(worker => worker.kill()));
      await Promise.all(opened.map(transport => transport.close()));
      [opened, workers] = [[], []];
    });

    afterAll(async () => {
      await subject.stop();
    });

    function connect(): Transport {
      const transport = subject.connect();
      opened.push(transport);
      return transport;
    }

    async function topicWith(partitions: number): Promise<{ transport: Transport; topic: string }> {
      const transport = connect();
      const topic = `t-${randomUUID()}`;
      await transport.ensureTopics([{ name: topic, partitions }]);
      return { transport, topic };
    }

    async function startWorker(topic: string, group: string, holdAfter?: number): Promise<TransportWorker> {
      const worker = await TransportWorker.start({
        ...subject.worker(),
        topic,
        group,
        maxBatch: 1,
        holdAfter,
      });
      workers.push(worker);
      return worker;
    }

    async function collect(
      transport: Transport,
      topic: string,
      options: Partial<SubscribeOptions> = {},
      handle: (batch: Batch) => Promise<void> = async () => {},
    ) {
      const received = new Gathered<string>();
      const subscription = await transport.subscribe(
        { group: 'g', topics: [topic], mode: 'competing', startFrom: 'start', maxBatch: 100, ...options },
        async batch => {
          await handle(batch);
          received.add(...batch.messages.map(message => message.payload.toString()));
        },
      );
      return { received, subscription };
    }

    describe('delivery', () => {
      it('delivers what was published, with key and headers as they were', async () => {
        const { transport, topic } = await topicWith(2);
        const received = new Gathered<WireMessage>();
        await transport.subscribe(
          { group: 'g', topics: [topic], mode: 'competing', startFrom: 'start', maxBatch: 10 },
          async batch => received.add(...batch.messages),
        );
        const headers = { ce_id: '1', traceparent: 'x', 'content-type': 'application/json' };
        await transport.publish([{ topic, key: 'k', headers, payload: Buffer.from('hello') }]);
        const [message] = await received.count(1);
        expect(message).toMatchObject({ topic, key: 'k', headers });
        expect(message!.payload.toString()).toBe('hello');
      });

      it.each([
        ['empty', Buffer.alloc(0), ''],
        ['unicode', Buffer.from('snowman ☃ 雪だるま 🏂'), 'ключ 🔑'],
        [
          'binary',
          Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
          '\u0001 "quoted", \\ {brace}',
        ],
      ])('carries an %s payload byte for byte', async (_, payload, key) => {
        const { transport, topic } = await topicWith(1);
        const received = new Gathered<WireMessage>();
        await transport.subscribe(
          { group: 'g', topics: [topic], mode: 'competing', startFrom: 'start', maxBatch: 10 },
          async batch => received.add(...batch.messages),
        );
        await transport.publish([{ topic, key, headers: {}, payload }]);
        const [message] = await received.count(1);
        expect(message!.payload.equals(payload)).toBe(true);
        expect(message!.key).toBe(key);
      });

      it('carries a message as long as its limit and refuses a longer one with a clear error', async () => {
        const { transport, topic } = await topicWith(1);
        const { received } = await collect(transport, topic);
        const limit = transport.capabilities.maxMessageBytes;
        await transport.publish([{ topic, key: 'k', headers: {}, payload: Buffer.alloc(limit, 'x') }]);
        const tooLong = { topic, key: 'k', headers: {}, payload: Buffer.alloc(limit + 1, 'x') };
        await expect(transport.publish([tooLong])).rejects.toBeInstanceOf(MessageTooLarge);
        const [payload] = await received.count(1);
        expect(payload!.length).toBe(limit);
      });

      it('refuses a topic that nobody made', async () => {
        await expect(connect().publish([text(`t-${randomUUID()}`, 'k', 'x')])).rejects.toBeInstanceOf(
          UnknownTopic,
        );
      });

      it('delivers everything of many publishers to many subscribers, once', async () => {
        const { transport, topic } = await topicWith(4);
        const collected = await Promise.all([1, 2, 3].map(() => collect(connect(), topic)));
        const publishers = [transport, connect(), connect()];
        await Promise.all(
          publishers.flatMap((publisher, p) =>
            range(20).map(n => publisher.publish(range(10).map(m => text(topic, `k${m}`, `${p}-${n}-${m}`)))),
          ),
        );
        const total = () => collected.flatMap(({ received }) => received.items);
        await eventually(
          async () => total().length,
          length => length >= 600,
        );
        await lagIs(transport, 'g', 0);
        expect(total().length).toBe(600);
        expect(new Set(total()).size).toBe(600);
      });
    });

    describe('order', () => {
      it('keeps the order of a key', async () => {
        const { transport, topic } = await topicWith(4);
        const { received } = await collect(transport, topic, { maxBatch: 7 });
        for (const n of range(50))
          await transport.publish(range(8).map(k => text(topic, `k${k}`, `${k}:${n}`)));
        await received.count(400);
        for (const k of range(8)) expect(ofKey(received.items, k)).toEqual(range(50).map(n => `${k}:${n}`));
      });

      it('keeps the order of a key when its consumer is killed', async () => {
        const { transport, topic } = await topicWith(2);
        const group = randomUUID();
        const worker = await startWorker(topic, group, 30);
        for (const n of range(40))
          await transport.publish(range(3).map(k => text(topic, `k${k}`, `${k}:${n}`)));
        await worker.reports.until(reports => reports.some(report => report.kind === 'holding'));
        await worker.kill();
        const { received } = await collect(transport, topic, { group });
        await lagIs(transport, group, 0);
        const seen = [...worker.handled, ...received.items];
        for (const k of range(3)) {
          const first = [...new Set(ofKey(seen, k))];
          expect(first).toEqual(range(40).map(n => `${k}:${n}`));
        }
      });

      it('skips no message when publishers overlap', async () => {
        const { transport, topic } = await topicWith(1);
        const { received } = await collect(connect(), topic, { maxBatch: 3 });
        const publishers = [transport, connect(), connect(), connect()];
        await Promise.all(
          publishers.map(async (publisher, p) => {
            for (const n of range(50)) await publisher.publish([text(topic, `k${p}`, `${p}:${n}`)]);
          }),
        );
        await received.count(200);
        for (const p of range(4)) expect(ofKey(received.items, p)).toEqual(range(50).map(n => `${p}:${n}`));
      });
    });

    describe('acknowledgement', () => {
      it('brings a batch again when its handler fails', async () => {
        const { transport, topic } = await topicWith(1);
        let attempts = 0;
        const { received } = await collect(transport, topic, {}, async () => {
          attempts += 1;
          if (attempts < 3) throw new Error('not yet');
        });
        await transport.publish([text(topic, 'k', 'a'), text(topic, 'k', 'b')]);
        await received.count(2);
        expect(attempts).toBe(3);
        expect(received.items).toEqual(['a', 'b']);
      });

      it('acknowledges nothing that was not handled', async () => {
        const { transport, topic } = await topicWith(1);
        const group = randomUUID();
        const failed = new Gathered<string>();
        const first = connect();
        await collect(first, topic, { group }, async ({ messages }) => {
          failed.add(...messages.map(message => message.payload.toString()));
          throw new Error('never');
        });
        await transport.publish([text(topic, 'k', 'a')]);
        await failed.count(1);
        await first.close();
        expect(await lagOf(transport, group)).toBe(1);
        const { received } = await collect(transport, topic, { group });
        expect(await received.count(1)).toEqual(['a']);
      });

      it('counts lag to the message', async () => {
        const { transport, topic } = await topicWith(2);
        const group = randomUUID();
        const gate = new Gate();
        const { received } = await collect(transport, topic, { group, maxBatch: 5 }, () => gate.opened);
        await transport.publish(range(30).map(n => text(topic, `k${n}`, String(n))));
        expect(await lagOf(transport, group)).toBe(30);
        gate.release();
        await received.count(30);
        await lagIs(transport, group, 0);
      });

      it('finishes what is in hand when it closes, and nothing after', async () => {
        const { transport, topic } = await topicWith(1);
        const group = randomUUID();
        const gate = new Gate();
        const started = new Gathered<number>();
        const first = connect();
        const { received } = await collect(first, topic, { group, maxBatch: 2 }, async ({ messages }) => {
          started.add(messages.length);
          await gate.opened;
        });
        await transport.publish(range(6).map(n => text(topic, 'k', String(n))));
        await started.count(1);
        const closing = first.close();
        gate.release();
        await closing;
        const done = received.items.length;
        expect(done).toBe(started.items[0]);
        expect(await lagOf(transport, group)).toBe(6 - done);
      });
    });

    it('keeps its partition while it finishes what is in hand, however long that takes', async () => {
      const { transport, topic } = await topicWith(1);
      const group = randomUUID();
      const gate = new Gate();
      const started = new Gathered<number>();
      const leaving = connect();
      const { received } = await collect(leaving, topic, { group }, async () => {
        started.add(1);
        await gate.opened;
      });
      await transport.publish([text(topic, 'k', 'a')]);
      await started.count(1);
      const closing = leaving.close();
      const other = await collect(connect(), topic, { group });
      // The one thing here that only time brings about: a lease that would have run out.
      await new Promise(done => setTimeout(done, 2 * subject.leaseMs));
      gate.release();
      await closing;
      await transport.publish([text(topic, 'k', 'b')]);
      await other.received.until(items => items.includes('b'));
      expect([received.items, other.received.items]).toEqual([['a'], ['b']]);
    });

    describe('groups', () => {
      it('shares among competing consumers and copies to broadcast ones', async () => {
        const { transport, topic } = await topicWith(4);
        const group = randomUUID();
        const [one, two] = [connect(), connect()];
        const competing = [await collect(one, topic, { group }), await collect(two, topic, { group })];
        const copies = [
          await collect(one, topic, { group: 'copies', mode: 'broadcast' }),
          await collect(two, topic, { group: 'copies', mode: 'broadcast' }),
        ];
        await eventually(
          async () => new Set((await transport.lag(group)).map(each => each.owner)).size,
          owners => owners === 2,
        );
        await transport.publish(range(40).map(n => text(topic, `k${n}`, String(n))));
        for (const { received } of copies) {
          expect([...(await received.count(40))].sort()).toEqual(range(40).map(String).sort());
        }
        await lagIs(transport, group, 0);
        const shared = competing.map(({ received }) => received.items);
        expect(shared.flat().sort()).toEqual(range(40).map(String).sort());
        expect(shared.every(items => items.length > 0)).toBe(true);
      });

      it('starts a new group at the start or from now, as asked', async () => {
        const { transport, topic } = await topicWith(2);
        await transport.publish([text(topic, 'k', 'before')]);
        const all = await collect(transport, topic, { group: randomUUID(), startFrom: 'start' });
        const recent = await collect(transport, topic, { group: randomUUID(), startFrom: 'now' });
        await transport.publish([text(topic, 'k', 'after')]);
        expect(await all.received.count(2)).toEqual(['before', 'after']);
        expect(await recent.received.count(1)).toEqual(['after']);
      });

      it('goes on where the group left off', async () => {
        const { transport, topic } = await topicWith(1);
        const group = randomUUID();
        const first = await collect(transport, topic, { group });
        await transport.publish([text(topic, 'k', 'a')]);
        await first.received.count(1);
        await first.subscription.close();
        await transport.publish([text(topic, 'k', 'b')]);
        const second = await collect(transport, topic, { group });
        expect(await second.received.count(1)).toEqual(['b']);
      });

      it('gives an instance that joins its share, and takes it back when it leaves', async () => {
        const { transport, topic } = await topicWith(4);
        const group = randomUUID();
        const owners = async () => (await transport.lag(group)).map(each => each.owner);
        await collect(connect(), topic, { group });
        await eventually(owners, list => list.every(owner => owner === list[0] && owner !== undefined));
        const joined = connect();
        await collect(joined, topic, { group });
        await eventually(owners, list => new Set(list).size === 2 && !list.includes(undefined));
        await joined.close();
        await eventually(owners, list => new Set(list).size === 1 && !list.includes(undefined));
      });

      it('gives the partitions of a killed instance to the others', async () => {
        const { transport, topic } = await topicWith(2);
        const group = randomUUID();
        const worker = await startWorker(topic, group);
        await transport.publish([text(topic, 'a', '1')]);
        await worker.reports.until(reports => reports.some(report => report.kind === 'handled'));
        await worker.kill();
        const { received } = await collect(transport, topic, { group });
        await transport.publish(range(10).map(n => text(topic, `k${n}`, `later ${n}`)));
        await received.until(items => range(10).every(n => items.includes(`later ${n}`)));
      });

      it('lets a frozen owner, overtaken, neither commit nor handle any more', async () => {
        const { transport, topic } = await topicWith(1);
        const group = randomUUID();
        const stale = await startWorker(topic, group, 1);
        await transport.publish([text(topic, 'k', '1'), text(topic, 'k', '2'), text(topic, 'k', '3')]);
        await stale.reports.until(reports => reports.some(report => report.kind === 'holding'));
        // What is done may be told to the group beside the next batch.
        await lagIs(transport, group, 2);
        stale.freeze();
        const gate = new Gate();
        const { received } = await collect(transport, topic, { group, maxBatch: 1 }, async ({ messages }) => {
          if (messages[0]!.payload.toString() === '3') await gate.opened;
        });
        await received.until(items => items.includes('2'));
        stale.thaw();
        await lagIs(transport, group, 1);
        await transport.publish([text(topic, 'k', '4')]);
        gate.release();
        await received.until(items => items.includes('4'));
        await lagIs(transport, group, 0);
        expect(stale.handled).toEqual(['1']);
        expect(received.items).toEqual(['2', '3', '4']);
      });
    });

    describe('bounds and breaks', () => {
      it('holds no more than a batch a partition in memory while a handler is slow', async () => {
        const { transport, topic } = await topicWith(2);
        const gate = new Gate();
        let inHand = 0;
        const started = new Gathered<number>();
        const { received } = await collect(transport, topic, { maxBatch: 10 }, async ({ messages }) => {
          inHand += messages.length;
          started.add(inHand);
          await gate.opened;
        });
        await transport.publish(range(500).map(n => text(topic, `k${n}`, String(n))));
        await started.count(2);
        await transport.publish([text(topic, 'last', 'last')]);
        expect(inHand).toBe(20);
        gate.release();
        await received.count(501);
      });

      it('bounds a batch by its bytes too', async () => {
        const { transport, topic } = await topicWith(1);
        const sizes = new Gathered<number>();
        await transport.publish(range(10).map(n => text(topic, 'k', String(n).repeat(1000))));
        const { received } = await collect(
          transport,
          topic,
          { maxBatchBytes: 3500 },
          async ({ messages }) => {
            sizes.add(messages.length);
          },
        );
        await received.count(10);
        expect(Math.max(...sizes.items)).toBe(3);
      });

      it('goes on by itself after the server restarts', async () => {
        const { transport, topic } = await topicWith(2);
        const { received } = await collect(transport, topic);
        await transport.publish([text(topic, 'k', 'before')]);
        await received.count(1);
        const identity = await transport.identity();
        await subject.restartServer();
        await eventually(
          () =>
            transport.publish([text(topic, 'k', 'after')]).then(
              () => true,
              () => false,
            ),
          published => published,
        );
        await received.until(items => items.includes('after'));
        expect(await transport.check()).toBeUndefined();
        expect(await connect().identity()).toBe(identity);
      });
    });
  });
}

function range(length: number): number[] {
  return Array.from({ length }, (_, n) => n);
}

function text(topic: string, key: string, payload: string): WireMessage {
  return { topic, key, headers: {}, payload: Buffer.from(payload) };
}

function ofKey(payloads: readonly string[], key: number): string[] {
  return payloads.filter(payload => payload.startsWith(`${key}:`));
}

/** Resolves when the group has so many messages still to do. */
function lagIs(transport: Transport, group: string, expected: number): Promise<number> {
  return eventually(
    () => lagOf(transport, group),
    lag => lag === expected,
  );
}

async function lagOf(transport: Transport, group: string): Promise<number> {
  return (await transport.lag(group)).reduce((total, each) => total + each.lag, 0);
}
