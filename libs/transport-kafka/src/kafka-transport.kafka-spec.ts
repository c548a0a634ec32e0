import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { KafkaJava } from '#embedded-kafka';
import { Kafka, logLevel } from 'kafkajs';
import type { LostRange, ReceivedMessage } from '#messaging';
import { eventually, Gathered, startKafka, type TestKafka, transportContract } from '#testkit';
import { KafkaClient } from './client.js';
import { Fetcher } from './fetcher.js';
import { KafkaTransport } from './kafka-transport.js';
import { LIMITS } from './limits.js';

const SESSION_MS = 1_500;

transportContract('Apache Kafka, one broker', async () => {
  const { cluster, stop } = await startKafka();
  const options = () => ({
    brokers: cluster.bootstrap,
    instance: randomUUID(),
    prefix: 'contract.',
    sessionMs: SESSION_MS,
  });
  return {
    leaseMs: SESSION_MS,
    connect: () => new KafkaTransport(options()),
    worker: () => ({ module: resolve('dist/libs/transport-kafka/src/worker.js'), options: options() }),
    restartServer: () => cluster.restart(),
    stop,
  };
});

describe('beside strangers and other versions', () => {
  let kafka: TestKafka;
  let opened: KafkaTransport[] = [];

  beforeAll(async () => {
    kafka = await startKafka();
  });

  afterEach(async () => {
    await Promise.all(opened.map(transport => transport.close()));
    opened = [];
  });

  afterAll(async () => {
    await kafka.stop();
  });

  function connect(prefix: string): KafkaTransport {
    const transport = new KafkaTransport({
      brokers: kafka.cluster.bootstrap,
      instance: randomUUID(),
      prefix,
      sessionMs: SESSION_MS,
    });
    opened.push(transport);
    return transport;
  }

  const message = (topic: string, text: string) => ({
    topic,
    key: text,
    headers: {},
    payload: Buffer.from(text),
  });

  async function collect(transport: KafkaTransport, topics: string[], group = 'g') {
    const received = new Gathered<string>();
    await transport.subscribe(
      { group, topics, mode: 'competing', startFrom: 'start', maxBatch: 10 },
      async ({ messages }) => received.add(...messages.map(({ payload }) => payload.toString())),
    );
    return received;
  }

  it('holds up one partition only where something cannot be read', async () => {
    const prefix = `${randomUUID()}.`;
    const transport = connect(prefix);
    await transport.ensureTopics([
      { name: 'a', partitions: 1 },
      { name: 'b', partitions: 1 },
    ]);
    const received = await collect(transport, ['a', 'b']);
    await transport.publish([message('a', 'a1'), message('b', 'b1')]);
    await received.count(2);
    await writeAsStranger(kafka, `${prefix}a`, ['--compression-codec', 'lz4']);
    await transport.publish([message('b', 'b2')]);
    await received.until(items => items.includes('b2'));
    expect(received.items).not.toContain('stranger');
  });

  it('gives a topic to the members that know it, while two versions of a service run', async () => {
    const prefix = `${randomUUID()}.`;
    const [older, newer] = [connect(prefix), connect(prefix)];
    await newer.ensureTopics([
      { name: 'a', partitions: 2 },
      { name: 'b', partitions: 2 },
    ]);
    const ofNewer = await collect(newer, ['a', 'b']);
    await collect(older, ['a']);
    await eventually(
      async () => new Set((await newer.lag('g')).map(({ owner }) => owner)).size,
      owners => owners === 2,
    );
    await newer.publish(Array.from({ length: 20 }, (_, n) => message('b', `b${n}`)));
    expect((await ofNewer.count(20)).every(text => text.startsWith('b'))).toBe(true);
  });

  it('says which messages were removed before they were read, and which group is ahead of a new topic', async () => {
    const prefix = `${randomUUID()}.`;
    const transport = connect(prefix);
    await transport.ensureTopics([{ name: 'a', partitions: 1 }]);
    const received = new Gathered<string>();
    const lost = new Gathered<LostRange>();
    const subscribe = () =>
      transport.subscribe(
        { group: 'g', topics: ['a'], mode: 'competing', startFrom: 'start', maxBatch: 10 },
        async batch => {
          lost.add(...(batch.lost ?? []));
          received.add(...batch.messages.map(({ payload }) => payload.toString()));
        },
      );
    const first = await subscribe();
    await transport.publish([message('a', '1')]);
    await received.count(1);
    await first.close();
    await transport.publish(['2', '3', '4', '5'].map(text => message('a', text)));
    const admin = new Kafka({ brokers: [...kafka.cluster.bootstrap], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    // The client must have heard of the topic first.
    await admin.fetchTopicOffsets(`${prefix}a`);
    await admin.deleteTopicRecords({ topic: `${prefix}a`, partitions: [{ partition: 0, offset: '4' }] });
    await subscribe();
    expect(await received.count(2)).toEqual(['1', '5']);
    expect(lost.items).toEqual([{ from: 2, to: 4 }]);

    await admin.deleteTopics({ topics: [`${prefix}a`] });
    const other = connect(prefix);
    await eventually(
      () =>
        other.ensureTopics([{ name: 'a', partitions: 1 }]).then(
          () => other.publish([message('a', 'new')]),
          (error: unknown) => error,
        ),
      error => error === undefined,
    );
    await admin.disconnect();
    // The positions that a service has settled are what tells it: see MessagingMonitor.
    const [lag] = await eventually(
      () => other.lag('g'),
      lags => lags[0]?.head === 1,
    );
    expect(lag!.head).toBeLessThan(5);
  });

  it('publishes what it can when another asks for a topic that nobody made', async () => {
    const transport = connect(`${randomUUID()}.`);
    await transport.ensureTopics([{ name: 'a', partitions: 1 }]);
    const received = await collect(transport, ['a']);
    const outcomes = await Promise.allSettled([
      transport.publish([message('nowhere', 'x')]),
      transport.publish([message('a', 'a1')]),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(await received.count(1)).toEqual(['a1']);
  });

  it('leaves no member behind when it closes right after it subscribed', async () => {
    const prefix = `${randomUUID()}.`;
    for (let n = 0; n < 4; n += 1) {
      const transport = connect(prefix);
      await transport.ensureTopics([{ name: 'a', partitions: 2 }]);
      await collect(transport, ['a'], `g${n}`);
      await transport.close();
    }
    const observer = connect(prefix);
    for (let n = 0; n < 4; n += 1)
      expect((await observer.lag(`g${n}`)).map(({ owner }) => owner)).toEqual([undefined, undefined]);
  });

  it('carries many small messages as it carries few large ones', async () => {
    const transport = connect(`${randomUUID()}.`);
    await transport.ensureTopics([{ name: 'a', partitions: 1 }]);
    const received = await collect(transport, ['a']);
    await transport.publish(Array.from({ length: 40_000 }, (_, n) => message('a', String(n))));
    expect(await received.count(40_000)).toHaveLength(40_000);
  });
});

describe('what is read ahead of a handler', () => {
  it('is bounded by its bytes, and by its messages', async () => {
    const kafka = await startKafka();
    const brokers = kafka.cluster.bootstrap;
    const transport = new KafkaTransport({ brokers, instance: randomUUID() });
    const client = new KafkaClient({ brokers, instance: randomUUID() });
    try {
      await transport.ensureTopics([{ name: 'a', partitions: 1 }]);
      // Random text does not compress: what is fetched is as long as what is kept.
      const text = () => randomBytes(5_000).toString('base64');
      for (let n = 0; n < 10; n += 1)
        await transport.publish(
          Array.from({ length: 100 }, () => ({
            topic: 'a',
            key: 'k',
            headers: {},
            payload: Buffer.from(text()),
          })),
        );
      const ahead = await readAhead(client, Infinity);
      const bytes = ahead.reduce((total, { payload }) => total + payload.length, 0);
      expect(bytes).toBeGreaterThanOrEqual(LIMITS.prefetchBytes);
      expect(bytes).toBeLessThanOrEqual(LIMITS.prefetchBytes + LIMITS.fetchBytes);
      const few = await readAhead(client, 10);
      expect(few.length).toBeGreaterThanOrEqual(10);
      // A fetch brings whole record batches, and at least one.
      expect(few.length).toBeLessThan(10 + Math.ceil(LIMITS.recordBatchBytes / 5_000));
    } finally {
      await client.close();
      await transport.close();
      await kafka.stop();
    }
  });

  /** What a fetcher holds when it asks for no more, because nobody takes anything. */
  async function readAhead(client: KafkaClient, ahead: number): Promise<ReceivedMessage[]> {
    const position = { topic: 'a', partition: 0, epoch: 1, after: -1 };
    let fetched = 0;
    const options = { topics: ['a'], ahead, whenGone: 'start', nameOf: (topic: string) => topic } as const;
    const fetcher = new Fetcher(client, options, () => (fetched += 1));
    fetcher.keep([position]);
    fetcher.start();
    const held = () => fetcher.peek(position, Infinity, Infinity);
    await eventually(
      async () => held(),
      messages =>
        messages.length >= ahead ||
        messages.reduce((total, { payload }) => total + payload.length, 0) >= LIMITS.prefetchBytes,
    );
    const before = fetched;
    // As a handler does after a batch: there is still no room, so the fetcher asks for nothing.
    for (let n = 0; n < 10; n += 1) {
      fetcher.wake();
      await new Promise(resolve => setImmediate(resolve));
    }
    await fetcher.stop();
    expect(fetched).toBe(before);
    return held();
  }
});

/** Writes one line with Kafka's own console producer. */
async function writeAsStranger(kafka: TestKafka, topic: string, args: readonly string[]): Promise<void> {
  const java = await KafkaJava.find();
  const producer = 'org.apache.kafka.tools.ConsoleProducer';
  const where = ['--bootstrap-server', kafka.cluster.bootstrap.join(','), '--topic', topic];
  const { command, args: all } = java.command(producer, [...where, ...args]);
  const child = spawn(command, all, { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.end('stranger\n');
  await once(child, 'exit');
}
