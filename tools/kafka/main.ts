import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { KafkaCluster, KafkaJava } from '#embedded-kafka';
import { isRunning, ServerStartError } from '#server-process';

/** Kafka's own console tools, by a short name. */
const TOOLS: Readonly<Record<string, string>> = {
  topics: 'org.apache.kafka.tools.TopicCommand',
  groups: 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  offsets: 'org.apache.kafka.tools.GetOffsetShell',
  configs: 'kafka.admin.ConfigCommand',
  consume: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  produce: 'org.apache.kafka.tools.ConsoleProducer',
};

const USAGE = `usage: npm run kafka [-- --brokers 1|3 --port 9092]      starts Apache Kafka, ends with Ctrl-C
       npm run kafka -- ${Object.keys(TOOLS).join('|')} ARGS…   runs one of Kafka's console tools
       npm run --silent kafka -- groups --describe --all-groups

The tools ask the brokers of the shop that runs, or those that npm run kafka started, or --bootstrap-server HOST:PORT.`;

const DATA_DIR = process.env['SLUICE_DATA_DIR'] ?? '.sluice';

/** Where this command tells which brokers it has started. */
const ALONE = 'running-kafka.json';

/** What tells a tool which brokers to ask. */
const ADDRESSED = /^--(bootstrap-server|bootstrap-controller|broker-list)(=|$)/;

/** Starts Apache Kafka on this machine, or runs one of its console tools. */
async function main([word, ...rest]: readonly string[]): Promise<void> {
  const isTool = TOOLS[word ?? ''] !== undefined;
  if (!isTool && [word, ...rest].some(each => each === '--help' || each === '-h'))
    return void process.stdout.write(`${USAGE}\n`);
  const tool = TOOLS[word ?? ''];
  if (tool === undefined && word?.startsWith('-') === false)
    throw new ServerStartError(`${word} is not one of Kafka's tools\n${USAGE}`);
  if (tool !== undefined) return runTool(tool, rest);
  const { brokers, port } = readOptions(word === undefined ? [] : [word, ...rest]);
  const dataDir = join(DATA_DIR, `kafka-${brokers}`);
  const ports = Array.from({ length: 2 * brokers }, (_, n) => port + n);
  const told = join(DATA_DIR, ALONE);
  const starting = KafkaCluster.start({ dataDir, brokers, ports });
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await starting.then(
      cluster => cluster.stop(),
      () => undefined,
    );
    await rm(told, { force: true });
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop());
  process.on('disconnect', () => void stop());
  const cluster = await starting;
  cluster.onUnexpectedExit(broker => {
    process.stdout.write(`broker ${broker + 1} ended by itself\n`);
    if (brokers === 1) process.exit(1);
  });
  await writeFile(told, JSON.stringify({ brokers: cluster.bootstrap.join(','), launcher: process.pid }));
  process.stdout.write(`Apache Kafka is ready at ${cluster.bootstrap.join(',')}\nPress Ctrl-C to stop.\n`);
}

async function runTool(mainClass: string, args: readonly string[]): Promise<void> {
  const addressed = args.some(word => ADDRESSED.test(word));
  const where =
    addressed || args.some(word => word === '--help' || word === '--version')
      ? []
      : ['--bootstrap-server', await runningBrokers()];
  const { command, args: all } = (await KafkaJava.find()).command(mainClass, [...where, ...args]);
  const [code] = (await once(spawn(command, all, { stdio: 'inherit' }), 'exit')) as [number | null];
  process.exitCode = code ?? 1;
}

/** The brokers of the shop that runs on the data directory, or those that this command started. */
async function runningBrokers(): Promise<string> {
  for (const file of ['running.json', ALONE]) {
    const { brokers, launcher } = await readFile(join(DATA_DIR, file), 'utf8')
      .then(text => JSON.parse(text) as { brokers?: string; launcher?: number })
      .catch(() => ({ brokers: undefined, launcher: undefined }));
    if (brokers !== undefined && launcher !== undefined && isRunning(launcher)) return brokers;
  }
  throw new ServerStartError(
    `no shop on Apache Kafka runs on ${resolve(DATA_DIR)}, nor did npm run kafka start brokers there; ` +
      'add --bootstrap-server HOST:PORT, or set SLUICE_DATA_DIR',
  );
}

function readOptions(args: readonly string[]): { brokers: 1 | 3; port: number } {
  const refuse = (reason: string): never => {
    throw new ServerStartError(`${reason}\n${USAGE}`);
  };
  const { values } = (() => {
    try {
      return parseArgs({
        args: [...args],
        options: { brokers: { type: 'string', default: '1' }, port: { type: 'string', default: '9092' } },
      });
    } catch (error) {
      return refuse((error as Error).message);
    }
  })();
  const brokers = Number(values.brokers);
  const port = Number(values.port);
  if (brokers !== 1 && brokers !== 3) return refuse(`--brokers ${values.brokers} is not 1 or 3`);
  if (!Number.isInteger(port) || port < 1 || port > 65_530) return refuse(`--port ${values.port} is invalid`);
  return { brokers, port };
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const known = error instanceof ServerStartError;
  process.stderr.write(`${known ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exit(1);
});
