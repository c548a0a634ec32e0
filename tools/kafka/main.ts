import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KafkaCluster, KafkaJava } from '#embedded-kafka';
import { ServerStartError } from '#server-process';

/** Kafka's own console tools, by a short name. */
const TOOLS: Readonly<Record<string, string>> = {
  topics: 'org.apache.kafka.tools.TopicCommand',
  groups: 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  offsets: 'org.apache.kafka.tools.GetOffsetShell',
  configs: 'kafka.admin.ConfigCommand',
  consume: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  produce: 'org.apache.kafka.tools.ConsoleProducer',
};

const USAGE = `usage: npm run kafka [-- --brokers 3 --port 9092]      starts Apache Kafka, ends with Ctrl-C
       npm run kafka -- ${Object.keys(TOOLS).join('|')} ARGS…   runs one of Kafka's console tools
       npm run --silent kafka -- groups --bootstrap-server 127.0.0.1:9092 --describe --all-groups`;

/** Starts Apache Kafka on this machine, or runs one of its console tools. */
async function main([word, ...rest]: readonly string[]): Promise<void> {
  const tool = TOOLS[word ?? ''];
  if (tool !== undefined) return runTool(tool, rest);
  const { brokers, port } = readOptions(word === undefined ? [] : [word, ...rest]);
  const dataDir = join(process.env['SLUICE_DATA_DIR'] ?? '.sluice', `kafka-${brokers}`);
  const ports = Array.from({ length: 2 * brokers }, (_, n) => port + n);
  const starting = KafkaCluster.start({ dataDir, brokers, ports });
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await starting.then(
      cluster => cluster.stop(),
      () => undefined,
    );
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop());
  process.on('disconnect', () => void stop());
  const cluster = await starting;
  cluster.onUnexpectedExit(broker => {
    process.stdout.write(`broker ${broker + 1} ended by itself\n`);
    if (brokers === 1) process.exit(1);
  });
  process.stdout.write(`Apache Kafka is ready at ${cluster.bootstrap.join(',')}\nPress Ctrl-C to stop.\n`);
}

async function runTool(mainClass: string, args: readonly string[]): Promise<void> {
  const { command, args: all } = (await KafkaJava.find()).command(mainClass, args);
  const [code] = (await once(spawn(command, all, { stdio: 'inherit' }), 'exit')) as [number | null];
  process.exitCode = code ?? 1;
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
