import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { KafkaCluster } from '#embedded-kafka';
import { openTransport, TransportConfig } from '#transport-choice';
import { LOG_DATABASE } from './services.js';
import type { QueueChoice } from './arguments.js';
import { keep, readKept } from './data-directory.js';
import { HOST, type Settings } from './settings.js';
import { StartRefused } from './start-refused.js';

/** What a data directory remembers of its queue. */
const QUEUE_FILE = 'queue.json';

/** The pause between attempts to restart a broker, in ms. */
const REVIVE_PAUSE_MS = 5_000;

/** The queue in use, and the environment variables that tell every app about it. */
export interface Queue {
  readonly env: Record<string, string>;
  /** Stops what was started here. */
  stop(): Promise<void>;
}

/** PostgreSQL's own queue runs with PostgreSQL. */
export function postgresQueue(databaseUrl: (database: string) => string): Queue {
  return {
    env: { SLUICE_TRANSPORT: 'postgres', SLUICE_TRANSPORT_URL: databaseUrl(LOG_DATABASE) },
    stop: async () => undefined,
  };
}

/** Starts Apache Kafka here, or checks that named brokers answer. @throws StartRefused, KafkaStartError */
export async function kafkaQueue(
  { dataDir, ports }: Settings,
  brokers: readonly string[] | 1 | 3,
  prefix: string,
  say: (line: string) => void,
): Promise<Queue> {
  if (typeof brokers !== 'number') {
    const env = {
      SLUICE_TRANSPORT: 'kafka',
      SLUICE_KAFKA_BROKERS: brokers.join(','),
      SLUICE_KAFKA_PREFIX: process.env['SLUICE_KAFKA_PREFIX'] ?? prefix,
    };
    await requireAnswer(env);
    return { env, stop: async () => undefined };
  }
  const cluster = await KafkaCluster.start({
    dataDir: join(dataDir, 'kafka'),
    brokers,
    ports: kafkaPortNames(brokers).map(name => ports[name]!),
  });
  const stopped = new AbortController();
  cluster.onUnexpectedExit(broker => {
    say(`Kafka broker ${broker + 1} ended by itself, starting it again`);
    void revive(cluster, broker, stopped.signal, say);
  });
  say(`Apache Kafka is up at ${cluster.bootstrap.join(',')}`);
  return {
    env: {
      SLUICE_TRANSPORT: 'kafka',
      SLUICE_KAFKA_BROKERS: cluster.bootstrap.join(','),
      SLUICE_KAFKA_REPLICATION: String(brokers),
    },
    stop: () => {
      stopped.abort();
      return cluster.stop();
    },
  };
}

/** Retries until the broker is back, or until the shop stops. */
async function revive(
  cluster: KafkaCluster,
  broker: number,
  stopped: AbortSignal,
  say: (line: string) => void,
): Promise<void> {
  while (!stopped.aborted) {
    try {
      await cluster.revive(broker);
      say(`Kafka broker ${broker + 1} is back`);
      return;
    } catch (error) {
      if (stopped.aborted) return;
      say(`Kafka broker ${broker + 1} does not start; trying again: ${String(error)}`);
      await setTimeout(REVIVE_PAUSE_MS, undefined, { signal: stopped }).catch(() => undefined);
    }
  }
}

/** The names of each broker's ports: one for clients, one for the controllers. */
export function kafkaPortNames(brokers: number): string[] {
  return Array.from({ length: brokers }, (_, n) => [`kafka-${n + 1}`, `kafka-controller-${n + 1}`]).flat();
}

interface Kept {
  readonly queue: string;
  readonly prefix: string;
}

/**
 * The queue that a data directory was started with has its messages: another queue would not have them.
 * @returns the prefix of its topics on brokers that it may share with other shops
 * @throws StartRefused
 */
export async function requireQueue(dataDir: string, choice: QueueChoice): Promise<string> {
  const wanted = describe(choice);
  const { queue = wanted, prefix = `sluice-${randomBytes(3).toString('hex')}.` } = await readKept<Kept>(
    join(dataDir, QUEUE_FILE),
  );
  if (queue === wanted) return prefix;
  throw new StartRefused(
    `the messages of ${dataDir} are in ${queue}, not in ${wanted}; ` +
      'start as before, or set SLUICE_DATA_DIR to another directory',
  );
}

/** From now on messages may be in the queue. A start that failed before this decides nothing. */
export async function rememberQueue(dataDir: string, choice: QueueChoice, prefix: string): Promise<void> {
  await keep<Kept>(join(dataDir, QUEUE_FILE), () => ({ queue: describe(choice), prefix }));
}

/** The queue's environment variables before it runs: enough to see whether the settings are right. */
export function plannedQueue(choice: QueueChoice, prefix: string): Record<string, string> {
  if (choice.transport === 'postgres')
    return { SLUICE_TRANSPORT: 'postgres', SLUICE_TRANSPORT_URL: `postgresql://${HOST}/${LOG_DATABASE}` };
  const { brokers } = choice;
  return {
    SLUICE_TRANSPORT: 'kafka',
    SLUICE_KAFKA_BROKERS: typeof brokers === 'number' ? `${HOST}:9092` : brokers.join(','),
    SLUICE_KAFKA_PREFIX: process.env['SLUICE_KAFKA_PREFIX'] ?? prefix,
  };
}

function describe(choice: QueueChoice): string {
  if (choice.transport === 'postgres') return 'postgres';
  const { brokers } = choice;
  return typeof brokers === 'number' ? `kafka, ${brokers} broker(s) of its own` : 'kafka, brokers elsewhere';
}

async function requireAnswer(env: Record<string, string>): Promise<void> {
  const parsed = TransportConfig.safeParse({ ...process.env, ...env });
  if (!parsed.success) {
    throw new StartRefused(
      parsed.error.issues.map(issue => `${issue.path.join('.')} ${issue.message}`).join('; '),
    );
  }
  const transport = await openTransport({ ...parsed.data, SLUICE_INSTANCE: 'launcher' });
  try {
    await transport.check();
  } catch (error) {
    throw new StartRefused(
      `Kafka does not answer (${(error as Error).message}); start it with npm run kafka, or correct --brokers`,
    );
  } finally {
    await transport.close();
  }
}
