import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts, runProgram } from '#server-process';
import { Broker } from './broker.js';
import { KafkaJava, KafkaStartError } from './java.js';

export interface KafkaClusterOptions {
  /** Data directory of the cluster; created and formatted if it does not exist. */
  readonly dataDir: string;
  /**
   * Number of brokers; 1 if left out. Three brokers replicate every message to all three and survive the loss
   * of one.
   */
  readonly brokers?: 1 | 3;
  /** Two TCP ports on 127.0.0.1 for each broker, for clients and for the controllers; free ones if left out. */
  readonly ports?: readonly number[];
  /** Broker settings on top of ours. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Listeners in addition to the plain one, by name: `{ TLS: 9094 }`. `properties` holds their settings. */
  readonly listeners?: Readonly<Record<string, number>>;
  /** Additional arguments for formatting, such as `--add-scram`. */
  readonly format?: readonly string[];
}

const HOST = '127.0.0.1';

/**
 * For a few topics on one machine: little memory, few threads, and a lost broker is detected within seconds.
 */
const PROPERTIES: Readonly<Record<string, string>> = {
  'process.roles': 'broker,controller',
  'controller.listener.names': 'CONTROLLER',
  'inter.broker.listener.name': 'PLAINTEXT',
  'auto.create.topics.enable': 'false',
  'unclean.leader.election.enable': 'false',
  'offsets.topic.num.partitions': '5',
  'transaction.state.log.num.partitions': '1',
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '1000',
  'broker.session.timeout.ms': '3000',
  'broker.heartbeat.interval.ms': '500',
  'replica.lag.time.max.ms': '5000',
  'controller.quorum.election.timeout.ms': '1000',
  'controller.quorum.fetch.timeout.ms': '2000',
  // All brokers on this machine stop together, so there is none to hand over to.
  'controlled.shutdown.enable': 'false',
  'num.network.threads': '2',
  'num.io.threads': '4',
  'num.recovery.threads.per.data.dir': '1',
  'background.threads': '2',
  'log.cleaner.dedupe.buffer.size': '8388608',
  'log.cleaner.io.buffer.size': '262144',
  'log.segment.bytes': '67108864',
};

/** Apache Kafka on this machine, with one broker or three, run from the jars that Maven resolves. */
export class KafkaCluster {
  private unexpectedExit: ((broker: number) => void) | undefined;

  private constructor(
    private readonly java: KafkaJava,
    private readonly all: readonly Broker[],
    /** Where clients connect, `host:port` of each broker. */
    readonly bootstrap: readonly string[],
  ) {
    for (const [index, broker] of all.entries()) broker.onUnexpectedExit(() => this.unexpectedExit?.(index));
  }

  /** @throws KafkaStartError */
  static async start(options: KafkaClusterOptions): Promise<KafkaCluster> {
    const java = await KafkaJava.find();
    const count = options.brokers ?? 1;
    await mkdir(options.dataDir, { recursive: true });
    const identity = await identityOf(options.dataDir, count);
    const ports = options.ports ?? (await freePorts(2 * count));
    const brokers = Array.from({ length: count }, (_, index) => {
      const folder = join(options.dataDir, `broker-${index + 1}`);
      const properties = propertiesOf(index, count, ports, options);
      return new Broker({ java, folder, clusterId: identity, properties, format: options.format ?? [] });
    });
    // Wait for all of them, so that none is still starting when they are stopped.
    const started = await Promise.allSettled(brokers.map(broker => broker.start()));
    const failed = started.find(outcome => outcome.status === 'rejected');
    if (failed !== undefined) {
      await Promise.all(brokers.map(broker => broker.stop('SIGKILL')));
      throw failed.reason;
    }
    const bootstrap = brokers.map((_, index) => `${HOST}:${ports[2 * index]!}`);
    return new KafkaCluster(java, brokers, bootstrap);
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map(broker => broker.stop()));
  }

  /** `kill -9` of one broker, counted from 0. */
  async kill(broker: number): Promise<void> {
    await this.all[broker]!.stop('SIGKILL');
  }

  /** Restarts a broker that was stopped. */
  async revive(broker: number): Promise<void> {
    await this.all[broker]!.start();
  }

  /** Kills every broker with `kill -9`, then starts all of them on the data on disk. */
  async restart(): Promise<void> {
    await Promise.all(this.all.map(broker => broker.stop('SIGKILL')));
    await Promise.all(this.all.map(broker => broker.start()));
  }

  /** Called with the index of a broker that exits unexpectedly. */
  onUnexpectedExit(listener: (broker: number) => void): void {
    this.unexpectedExit = listener;
  }

  /** Runs one of Kafka's own console tools against this cluster. */
  async tool(mainClass: string, args: readonly string[]): Promise<string> {
    const at = ['--bootstrap-server', this.bootstrap.join(',')];
    const { code, output, lastWords } = await runProgram(this.java.command(mainClass, [...at, ...args]));
    if (code !== 0) throw new Error(`${mainClass} failed: ${lastWords}`);
    return output;
  }
}

/**
 * The cluster's id, generated once. @throws KafkaStartError when the directory has another number of brokers
 * brokers
 */
async function identityOf(dataDir: string, brokers: number): Promise<string> {
  const file = join(dataDir, 'cluster.json');
  if (!existsSync(file)) {
    // A tool's argument must not begin with a dash.
    const identity = { id: randomBytes(16).toString('base64url').replace(/^-/, 'A'), brokers };
    await writeFile(`${file}.new`, JSON.stringify(identity));
    await rename(`${file}.new`, file);
    return identity.id;
  }
  const before = JSON.parse(await readFile(file, 'utf8')) as { id: string; brokers: number };
  if (before.brokers !== brokers) {
    throw new KafkaStartError(
      `${dataDir} holds a cluster of ${before.brokers} broker(s), not ${brokers}; ` +
        'start that many, or use another directory',
    );
  }
  return before.id;
}

function propertiesOf(
  index: number,
  count: number,
  ports: readonly number[],
  { properties, listeners = {} }: KafkaClusterOptions,
): Record<string, string> {
  const controllers = Array.from({ length: count }, (_, n) => `${n + 1}@${HOST}:${ports[2 * n + 1]!}`);
  const copies = String(count);
  const inSync = String(Math.min(count, 2));
  const own = { PLAINTEXT: ports[2 * index]!, ...listeners };
  const bound = Object.entries(own).map(([name, port]) => `${name}://${HOST}:${port}`);
  return {
    ...PROPERTIES,
    'node.id': String(index + 1),
    'controller.quorum.voters': controllers.join(','),
    listeners: [...bound, `CONTROLLER://${HOST}:${ports[2 * index + 1]!}`].join(','),
    'advertised.listeners': bound.join(','),
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'default.replication.factor': copies,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': copies,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': inSync,
    ...properties,
  };
}
