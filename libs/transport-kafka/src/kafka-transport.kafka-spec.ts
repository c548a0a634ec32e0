import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { startKafka, transportContract } from '#testkit';
import { KafkaTransport } from './kafka-transport.js';

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
