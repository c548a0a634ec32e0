import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { freePorts } from '#server-process';
import { Gathered, SilentProxy, startKafka, type TestKafka } from '#testkit';
import { KafkaTransport } from './kafka-transport.js';

let kafka: TestKafka;
let proxy: SilentProxy;

beforeAll(async () => {
  const [plain, controller, proxied] = (await freePorts(3)) as [number, number, number];
  proxy = await SilentProxy.start(proxied);
  kafka = await startKafka({
    ports: [plain, controller],
    listeners: { PROXIED: proxied },
    properties: {
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${plain},PROXIED://127.0.0.1:${proxy.port}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
    },
  });
});

afterAll(async () => {
  await kafka?.stop();
  await proxy?.stop();
});

it('replaces connections that silently die: the subscription has its partitions again, hears and commits', async () => {
  const prefix = `${randomUUID()}.`;
  const near = new KafkaTransport({ brokers: kafka.cluster.bootstrap, instance: randomUUID(), prefix });
  const far = new KafkaTransport({ brokers: [`127.0.0.1:${proxy.port}`], instance: randomUUID(), prefix });
  await near.ensureTopics([{ name: 'test', partitions: 2 }]);
  const received = new Gathered<string>();
  await far.subscribe(
    { group: 'g', topics: ['test'], mode: 'competing', startFrom: 'start', maxBatch: 10 },
    async ({ messages }) => received.add(...messages.map(message => message.payload.toString())),
  );
  const publish = (payload: string) =>
    near.publish(
      ['a', 'b', 'c'].map(key => ({ topic: 'test', key, headers: {}, payload: Buffer.from(payload) })),
    );
  await publish('before');
  await received.count(3);
  expect(proxy.swallow()).toBeGreaterThan(1);
  await publish('after');
  await received.until(items => items.filter(item => item === 'after').length >= 3);
  await far.publish([{ topic: 'test', key: 'd', headers: {}, payload: Buffer.from('last') }]);
  await received.until(items => items.includes('last'));
  await Promise.all([far.close(), near.close()]);
});
