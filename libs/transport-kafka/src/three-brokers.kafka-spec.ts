import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { eventually, Gate, Gathered, startKafka, type TestKafka } from '#testkit';
import { KafkaTransport } from './kafka-transport.js';

let kafka: TestKafka;
let opened: KafkaTransport[] = [];

beforeAll(async () => {
  kafka = await startKafka({ brokers: 3 });
});

afterEach(async () => {
  await Promise.all(opened.map(transport => transport.close()));
  opened = [];
});

afterAll(async () => {
  await kafka.stop();
});

function connect(prefix: string): KafkaTransport {
  const brokers = kafka.cluster.bootstrap;
  const transport = new KafkaTransport({ brokers, instance: randomUUID(), prefix, replication: 3 });
  opened.push(transport);
  return transport;
}

/** As a relay does: if a publish fails, all of it is sent again. */
async function publishUntilTaken(transport: KafkaTransport, round: number, keys: number): Promise<void> {
  const messages = Array.from({ length: keys }, (_, key) => ({
    topic: 't',
    key: `k${key}`,
    headers: {},
    payload: Buffer.from(`${key}:${round}`),
  }));
  await eventually(
    () =>
      transport.publish(messages).then(
        () => true,
        () => false,
      ),
    taken => taken,
  );
}

it('loses nothing and keeps the order of every key while each broker in turn is killed', async () => {
  const KEYS = 12;
  const prefix = `${randomUUID()}.`;
  const publisher = connect(prefix);
  await publisher.ensureTopics([{ name: 't', partitions: 6 }]);
  const received = new Gathered<string>();
  const group = randomUUID();
  for (const consumer of [connect(prefix), connect(prefix)]) {
    await consumer.subscribe(
      { group, topics: ['t'], mode: 'competing', startFrom: 'start', maxBatch: 20 },
      async ({ messages }) => received.add(...messages.map(({ payload }) => payload.toString())),
    );
  }
  let round = 0;
  const publishRounds = async (count: number) => {
    for (const until = round + count; round < until; round += 1)
      await publishUntilTaken(publisher, round, KEYS);
  };
  await publishRounds(10);
  for (const broker of [0, 1, 2]) {
    const publishing = publishRounds(60);
    await kafka.cluster.kill(broker);
    await publishing;
    await publishRounds(10);
    await kafka.cluster.revive(broker);
    await publishRounds(10);
  }
  const all = Array.from({ length: KEYS }, (_, key) => `${key}:${round - 1}`);
  await received.until(items => all.every(last => items.includes(last)));
  for (let key = 0; key < KEYS; key += 1) {
    // Copies may come; the first of each must come in order, and none may be missing.
    const first = [...new Set(received.items.filter(payload => payload.startsWith(`${key}:`)))];
    expect(first).toEqual(Array.from({ length: round }, (_, n) => `${key}:${n}`));
  }
  await eventually(
    async () => (await publisher.lag(group)).reduce((sum, { lag }) => sum + lag, 0),
    lag => lag === 0,
  );
});

it('refuses what too few replicas would have, says so, and takes it when they are back', async () => {
  const prefix = `${randomUUID()}.`;
  const transport = connect(prefix);
  await transport.ensureTopics([{ name: 't', partitions: 3 }]);
  const received = new Gathered<string>();
  await transport.subscribe(
    { group: 'g', topics: ['t'], mode: 'competing', startFrom: 'start', maxBatch: 10 },
    async ({ messages }) => received.add(...messages.map(({ payload }) => payload.toString())),
  );
  const all = [
    '--entity-type',
    'topics',
    '--entity-name',
    `${prefix}t`,
    '--add-config',
    'min.insync.replicas=3',
  ];
  await kafka.cluster.tool('kafka.admin.ConfigCommand', ['--alter', ...all]);
  await kafka.cluster.kill(0);
  const message = { topic: 't', key: 'k', headers: {}, payload: Buffer.from('x') };
  await expect(transport.publish([message])).rejects.toThrow(/replicas|timed out/);
  await kafka.cluster.revive(0);
  await publishUntilTaken(transport, 0, 1);
  await received.until(items => items.includes('0:0'));
  expect(await transport.check()).toBeUndefined();
});

it('is seen by the console tools as any client is', async () => {
  const prefix = `${randomUUID()}.`;
  const transport = connect(prefix);
  await transport.ensureTopics([{ name: 't', partitions: 3 }]);
  const gate = new Gate();
  await transport.subscribe(
    { group: 'g', topics: ['t'], mode: 'competing', startFrom: 'start', maxBatch: 1 },
    () => gate.opened,
  );
  await publishUntilTaken(transport, 0, 5);
  await eventually(
    async () => (await transport.lag('g')).every(({ owner }) => owner !== undefined),
    owned => owned,
  );
  const groups = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand';
  const described = await kafka.cluster.tool(groups, ['--describe', '--group', `${prefix}g`]);
  const rows = [...described.matchAll(/^\S+\s+(\S+)\s+\d+\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)/gm)];
  expect(rows.map(([, topic]) => topic)).toEqual([`${prefix}t`, `${prefix}t`, `${prefix}t`]);
  expect(rows.reduce((sum, [, , , , lag]) => sum + Number(lag), 0)).toBe(5);
  gate.release();
  const topics = await kafka.cluster.tool('org.apache.kafka.tools.TopicCommand', [
    '--describe',
    '--topic',
    `${prefix}t`,
  ]);
  expect(topics).toContain('PartitionCount: 3');
  expect(topics).toContain('ReplicationFactor: 3');
  expect(topics).toContain('min.insync.replicas=2');
});

it('goes on while a topic of somebody else has no leader', async () => {
  const prefix = `${randomUUID()}.`;
  const transport = connect(prefix);
  await transport.ensureTopics([{ name: 't', partitions: 3 }]);
  const received = new Gathered<string>();
  await transport.subscribe(
    { group: 'g', topics: ['t'], mode: 'competing', startFrom: 'start', maxBatch: 10 },
    async ({ messages }) => received.add(...messages.map(({ payload }) => payload.toString())),
  );
  const topics = 'org.apache.kafka.tools.TopicCommand';
  // Three partitions with one replica each: one of them is on the broker that is killed.
  await kafka.cluster.tool(topics, [
    '--create',
    '--topic',
    `${prefix}foreign`,
    '--partitions',
    '3',
    '--replication-factor',
    '1',
  ]);
  await kafka.cluster.kill(2);
  await publishUntilTaken(transport, 0, 6);
  await received.until(items => items.length >= 6);
  const late = connect(prefix);
  expect(await late.check()).toBeUndefined();
  expect(await late.identity()).toContain(prefix);
  await publishUntilTaken(late, 1, 6);
  await received.until(items => items.includes('5:1'));
  await kafka.cluster.revive(2);
});
