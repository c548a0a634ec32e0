import { randomUUID } from 'node:crypto';
import type { Transport } from '#messaging';
import { KafkaTransport } from '#transport-kafka';
import { PostgresTransport } from '#transport-postgres';
import { emptyDatabase } from './database.js';

/** `postgres` or `kafka`: the queue of the tests that need one; PostgreSQL if not set. */
export const TEST_TRANSPORT = 'SLUICE_TEST_TRANSPORT';
/** Where jest's global setup leaves the addresses of the shared brokers. */
export const TEST_BROKERS = 'SLUICE_TEST_BROKERS';

/** Where a queue is: another process can connect to it. */
export type QueueAddress =
  | { readonly transport: 'postgres'; readonly url: string }
  | { readonly transport: 'kafka'; readonly brokers: readonly string[]; readonly prefix: string };

/** A queue for one test. */
export interface TestQueue {
  readonly address: QueueAddress;
  /** Connects as a separate instance. */
  connect(instance: string): Transport;
  drop(): Promise<void>;
}

export async function openTestQueue(): Promise<TestQueue> {
  if (process.env[TEST_TRANSPORT] === 'kafka') {
    const brokers = process.env[TEST_BROKERS]!.split(',');
    return queueAt({ transport: 'kafka', brokers, prefix: `${randomUUID()}.` }, async () => undefined);
  }
  const database = await emptyDatabase();
  return queueAt({ transport: 'postgres', url: database.url }, () => database.drop());
}

export function connectTo(address: QueueAddress, instance: string): Transport {
  if (address.transport === 'postgres') return new PostgresTransport({ url: address.url, instance });
  const { brokers, prefix } = address;
  return new KafkaTransport({ brokers: [...brokers], instance, prefix, sessionMs: 3_000 });
}

function queueAt(address: QueueAddress, drop: () => Promise<void>): TestQueue {
  return { address, connect: instance => connectTo(address, instance), drop };
}
