import type { Transport } from '#messaging';
import { KafkaTransport } from '#transport-kafka';
import { PostgresTransport } from '#transport-postgres';
import { Ours } from './ours.js';

/** The instructions for a process that handles events. */
export interface ArrivalsOrder {
  readonly databaseUrl: string;
  readonly queue: QueueAddress;
  readonly partitions: number;
  readonly payloadBytes: number;
  readonly messages: number;
  /** How many of the first messages do not count. */
  readonly leftOut: number;
}

export type QueueAddress =
  | { readonly kind: 'kafka'; readonly brokers: readonly string[]; readonly prefix: string }
  | { readonly kind: 'postgres'; readonly url: string };

export type ArrivalsReport =
  { readonly kind: 'ready' } | { readonly kind: 'done'; readonly sorted: number[] };

export function openQueue(queue: QueueAddress, instance: string): Transport {
  if (queue.kind === 'postgres') return new PostgresTransport({ url: queue.url, instance });
  return new KafkaTransport({ brokers: queue.brokers, instance, prefix: queue.prefix });
}

async function work({ queue, messages, leftOut, ...options }: ArrivalsOrder): Promise<void> {
  const ours = await Ours.start({ ...options, open: instance => openQueue(queue, instance) });
  const report = (what: ArrivalsReport) => void process.send!(what);
  const sorted = await ours.measureArrivals(messages, leftOut, () => report({ kind: 'ready' }));
  report({ kind: 'done', sorted });
}

if (process.argv[1] === import.meta.filename) {
  process.once('message', order => void work(order as ArrivalsOrder));
  process.once('disconnect', () => process.exit());
}
