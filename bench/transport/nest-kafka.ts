import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { resolve } from 'node:path';
import pg from 'pg';
import { CREATE_EFFECTS } from './effects.js';
import { batches, sendAll } from './events.js';
import { withTopic } from './kafka-client.js';
import type { Measured } from './measured.js';

export interface NestKafkaOptions {
  readonly brokers: readonly string[];
  /** A database of its own; its tables are created again. */
  readonly databaseUrl: string;
  readonly messages: number;
  readonly payloadBytes: number;
  readonly partitions: number;
  /** How the handler writes: TypeORM's transaction, or receipt and effect in one statement. */
  readonly effect: 'transaction' | 'statement';
}

/** The instructions for the server. */
export interface NestKafkaOrder extends NestKafkaOptions {
  readonly topic: string;
  /** Messages handled before the clock starts. */
  readonly warmUp: number;
}

export interface NestKafkaReport extends Measured {
  /** The highest number of messages in progress at a time. */
  readonly atOnce: number;
}

const WARM_UP = 1_000;

/** Messages per second through Nest's own Kafka transport, from a full topic to the last commit. */
export async function measureNestKafka(options: NestKafkaOptions): Promise<NestKafkaReport> {
  const { brokers, partitions, payloadBytes, messages } = options;
  const topic = `bench.nest-${randomUUID()}`;
  const database = new pg.Client({ connectionString: options.databaseUrl });
  await database.connect();
  try {
    await database.query(CREATE_EFFECTS);
    return await withTopic(brokers, topic, partitions, async () => {
      await sendAll({ brokers, topic }, async send => {
        for (const batch of batches(WARM_UP + messages, payloadBytes)) await send(batch);
      });
      const report = await runServer({ ...options, topic, warmUp: WARM_UP });
      await checkEffects(database, WARM_UP + messages);
      return report;
    });
  } finally {
    await database.end();
  }
}

async function runServer(order: NestKafkaOrder): Promise<NestKafkaReport> {
  const server = fork(resolve('dist/bench/transport/nest-kafka-server.js'), {
    env: { ...process.env, BENCH_ORDER: JSON.stringify(order) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    const [report] = (await Promise.race([once(server, 'message'), failed(server)])) as [NestKafkaReport];
    return report;
  } finally {
    server.kill('SIGKILL');
  }
}

async function failed(server: ChildProcess): Promise<never> {
  const [code, signal] = (await once(server, 'exit')) as [number | null, string | null];
  throw new Error(`the Nest server ended before it was done: ${code ?? signal}; see its error above`);
}

/** A figure counts only when every message has had its effect, once. */
async function checkEffects(database: pg.Client, messages: number): Promise<void> {
  const { rows } = await database.query<{ effects: number; receipts: number }>(
    'SELECT (SELECT count(*)::int FROM effect) AS effects, (SELECT count(*)::int FROM receipt) AS receipts',
  );
  const { effects, receipts } = rows[0]!;
  if (effects !== messages || receipts !== messages)
    throw new Error(`of ${messages} messages ${receipts} have a receipt and ${effects} an effect`);
}
