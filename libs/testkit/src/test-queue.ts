import { randomUUID } from 'node:crypto';
import type { Transport } from '#messaging';
import { KafkaTransport } from '#transport-kafka';
import { PostgresTransport } from '#transport-postgres';
import { emptyDatabase } from './database.js';

/** `postgres` or `kafka`: the queue of the tests that need one; PostgreSQL if not set. */
export const TEST_TRANSPORT = 'SLUICE_TEST_TRANSPORT';
/** Where jest's global setup leaves the addresses of the shared brokers. */
export const TEST_BROKERS = 'SLUICE_TEST_BROKERS';

/** A queue for one test. */
export interface TestQueue {
  /** Connects as a separate instance. */
  connect(instance: string): Transport;
  drop(): Promise<void>;
}

export async function openTestQueue(): Promise<TestQueue> {
  if (process.env[TEST_TRANSPORT] === 'kafka') {
    const brokers = process.env[TEST_BROKERS]!.split(',');
    const prefix = `${randomUUID()}.`;
    return {
      connect: instance => new KafkaTransport({ brokers, instance, prefix, sessionMs: 3_000 }),
      drop: async () => undefined,
    };
  }
  const database = await emptyDatabase();
  return {
    connect: instance => new PostgresTransport({ url: database.url, instance }),
    drop: () => database.drop(),
  };
}
