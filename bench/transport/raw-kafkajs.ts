import { randomUUID } from 'node:crypto';
import type { KafkaMessage } from 'kafkajs';
import pg from 'pg';
import type { OrderPaid } from '#contracts';
import { CREATE_EFFECTS, INSERT_EFFECTS } from './effects.js';
import { batches, sendAll } from './events.js';
import { type Compression, connect, withTopic } from './kafka-client.js';
import { type Measured, Stopwatch } from './measured.js';

export interface RawOptions {
  readonly brokers: readonly string[];
  readonly messages: number;
  readonly payloadBytes: number;
  readonly partitions: number;
  readonly compression?: Compression;
}

export interface Consumed extends Measured {
  /** The average number of messages in a batch: kafkajs hands over what a fetch returned for a partition. */
  readonly meanBatch: number;
}

/** Applies the messages of one partition, as a batch handler does. */
type Effect = (messages: readonly KafkaMessage[]) => Promise<void>;

/** Batches that are sent over and over. They are built beforehand, so that only sending is measured. */
const BATCHES_IN_TURN = 16;
const WARM_UP = 20_000;

/** The messages per second of an ideal relay: one batch of 1,000 in flight, idempotent, acks from all. */
export async function measureRawProduce(options: RawOptions): Promise<Measured> {
  const { brokers, partitions, payloadBytes, messages } = options;
  const topic = `bench.produce-${randomUUID()}`;
  const turns = [...batches(BATCHES_IN_TURN * 1_000, payloadBytes)];
  return withTopic(brokers, topic, partitions, async () => {
    let measured: Measured | undefined;
    await sendAll({ ...options, topic }, async send => {
      for (let sent = 0; sent < WARM_UP; sent += 1_000) await send(turns[(sent / 1_000) % turns.length]!);
      const stopwatch = new Stopwatch();
      let sent = 0;
      for (let turn = 0; sent < messages; turn += 1) {
        const batch = turns[turn % turns.length]!;
        await send(batch);
        sent += batch.length;
      }
      measured = stopwatch.stop(sent);
    });
    return measured!;
  });
}

/**
 * Messages per second that come out of a topic filled beforehand. Each batch is one transaction: one INSERT
 * with one row per message. A batch handler could do no better.
 */
export async function measureRawConsumeInserting(
  options: RawOptions & { readonly databaseUrl: string },
): Promise<Consumed> {
  const pool = new pg.Pool({ connectionString: options.databaseUrl, max: options.partitions });
  try {
    await pool.query(CREATE_EFFECTS);
    return await consumeFilled(options, async messages => {
      const events = messages.map(({ value }) => JSON.parse(value!.toString()) as OrderPaid);
      await pool.query({
        name: 'insert-effects',
        text: INSERT_EFFECTS,
        values: [
          events.map(event => event.orderId),
          events.map(event => event.buyerId),
          events.map(event => event.totalMinor),
        ],
      });
    });
  } finally {
    await pool.end();
  }
}

async function consumeFilled(options: RawOptions, effect: Effect): Promise<Consumed> {
  const { brokers, partitions, payloadBytes, messages } = options;
  const topic = `bench.consume-${randomUUID()}`;
  return withTopic(brokers, topic, partitions, async () => {
    await sendAll({ ...options, topic }, async send => {
      for (const batch of batches(messages, payloadBytes)) await send(batch);
    });
    // A new group each time, so that the second call reads everything again, warmed up.
    await consume(options, topic, Math.min(WARM_UP, messages), effect);
    return consume(options, topic, messages, effect);
  });
}

/** From joining the group until this many messages have had their effect. */
async function consume(
  { brokers, partitions }: RawOptions,
  topic: string,
  messages: number,
  effect: Effect,
): Promise<Consumed> {
  const consumer = connect(brokers).consumer({ groupId: `bench-${randomUUID()}`, maxWaitTimeInMs: 100 });
  const consumed = Promise.withResolvers<Consumed>();
  let stopwatch: Stopwatch | undefined;
  let [done, count] = [0, 0];
  consumer.on(consumer.events.GROUP_JOIN, () => (stopwatch ??= new Stopwatch()));
  consumer.on(consumer.events.CRASH, ({ payload }) => consumed.reject(payload.error));
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      partitionsConsumedConcurrently: partitions,
      eachBatch: async ({ batch }) => {
        await effect(batch.messages);
        done += batch.messages.length;
        count += 1;
        if (done >= messages) consumed.resolve({ ...stopwatch!.stop(done), meanBatch: done / count });
      },
    });
    return await consumed.promise;
  } finally {
    await consumer.disconnect();
  }
}
