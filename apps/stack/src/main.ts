import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PostgresCluster } from '#embedded-postgres';
import { mapStacks, ServerStartError } from '#server-process';
import { readArguments } from './arguments.js';
import { openDataDir, removeIfTemporary } from './data-directory.js';
import { environmentOf, readEnvironment } from './environment.js';
import { seedDemo } from './seed-demo.js';
import { lock } from './lock.js';
import {
  kafkaPortNames,
  kafkaQueue,
  plannedQueue,
  postgresQueue,
  type Queue,
  rememberQueue,
  requireQueue,
} from './queue.js';
import { checkSettings, QUOTES } from './service-settings.js';
import { instancesOf, LOG_DATABASE, processOf, SERVICES } from './services.js';
import { HOST, type Settings } from './settings.js';
import { settle } from './settle.js';
import { StartRefused } from './start-refused.js';
import { type ProcessToRun, Supervised } from './supervisor.js';

mapStacks();

const say = (line: string) => process.stdout.write(`${line}\n`);
// Whoever read our lines may be gone: then the shop is stopped in order all the same.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });

/** Starts the shop: PostgreSQL and the queue, then every app, then the demo. Stops it in reverse order. */
async function main(shop: Shop): Promise<void> {
  const { scale, queue, without, lab } = readArguments(process.argv.slice(2));
  const environment = readEnvironment(process.env);
  const dataDir = await openDataDir(environment.SLUICE_DATA_DIR);
  await lock(dataDir);
  shop.dataDir = dataDir;
  const prefix = await requireQueue(dataDir, queue);
  const ownBrokers = queue.transport === 'kafka' && typeof queue.brokers === 'number' ? queue.brokers : 0;
  const settings = await settle(dataDir, environment, { scale, lab }, kafkaPortNames(ownBrokers));
  // Everything is known before anything starts.
  const planned = (database: string) => `postgresql://${HOST}/${database}`;
  checkSettings(processesOf(settings, planned, plannedQueue(queue, prefix)));
  await mkdir(join(dataDir, 'logs'), { recursive: true });

  shop.cluster = startPostgres(settings, shop);
  const databaseUrl = (cluster: PostgresCluster) => (database: string) => cluster.ownerUrl(database);
  shop.queue =
    queue.transport === 'postgres'
      ? shop.cluster.then(cluster => postgresQueue(databaseUrl(cluster)))
      : kafkaQueue(settings, queue.brokers, prefix, say);
  const [cluster, { env }] = await Promise.all([shop.cluster, shop.queue]);
  // Asked to stop meanwhile: start nothing more.
  if (shop.ending) return;

  await rememberQueue(dataDir, queue, prefix);
  const processes = processesOf(settings, databaseUrl(cluster), env);
  await writeEnvironments(dataDir, processes);
  shop.processes = processes
    .filter(({ app }) => !without.has(app))
    .map(each => new Supervised(each, dataDir, say, undefined, () => shop.isReviving));
  await Promise.all(shop.processes.map(each => each.start()));
  restartOnRequest(shop.processes);
  // Without some of its services, the shop may be unable to take the demo.
  if (without.size === 0) await seedDemo(settings.urls.gateway, settings.secrets.operatorPassword);
  await announce(settings, shop.processes, env['SLUICE_KAFKA_BROKERS']);
}

async function startPostgres({ dataDir, ports, secrets }: Settings, shop: Shop): Promise<PostgresCluster> {
  const cluster = await PostgresCluster.start({
    dataDir: join(dataDir, 'postgres'),
    port: ports['postgres'],
    password: secrets.database,
    say,
  });
  cluster.onUnexpectedExit(() => {
    say('PostgreSQL ended by itself, starting it again');
    shop.isReviving = true;
    cluster
      .restart()
      .then(() => (shop.isReviving = false))
      .catch((error: unknown) => shop.refuse(error));
  });
  try {
    await cluster.ensureOwnedDatabases([
      LOG_DATABASE,
      ...SERVICES.flatMap(service => service.database ?? []),
    ]);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  if (!shop.ending) say('PostgreSQL is up');
  return cluster;
}

/** What has been started so far. It stops in order, whatever the reason and however far the start got. */
class Shop {
  /** Once it is ours alone. */
  dataDir: string | undefined;
  cluster: Promise<PostgresCluster> | undefined;
  queue: Promise<Queue> | undefined;
  processes: readonly Supervised[] = [];
  /** PostgreSQL has ended by itself and is not back yet. */
  isReviving = false;
  private stopping = false;

  constructor() {
    process.on('SIGINT', () => void this.stop('Ctrl-C'));
    process.on('SIGTERM', () => void this.stop('SIGTERM'));
    process.on('SIGHUP', () => void this.stop('the terminal is gone'));
    process.on('disconnect', () => void this.stop('the parent process is gone'));
  }

  get ending(): boolean {
    return this.stopping;
  }

  async stop(reason: string): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    say(`${reason}: finishing the work in progress`);
    await this.end();
    say('Sluice has stopped');
    process.exit(0);
  }

  /** Reports in one line why it cannot go on. */
  refuse(error: unknown): void {
    if (this.stopping) return;
    const known = error instanceof StartRefused || error instanceof ServerStartError;
    const reason = error instanceof Error ? (known ? error.message : error.stack) : String(error);
    process.stderr.write(`Sluice cannot start: ${reason}\n`);
    void this.end().finally(() => process.exit(1));
  }

  // The gateway stops first: it takes calls from outside.
  // The sandbox stops last, so that it still receives the last calls.
  private async end(): Promise<void> {
    this.stopping = true;
    const named = (name: string) => this.processes.filter(each => each.app === name);
    const between = this.processes.filter(each => each.app !== 'gateway' && each.app !== 'sandbox');
    for (const group of [named('gateway'), between, named('sandbox')])
      await Promise.all(group.map(each => each.stop()));
    const servers = [this.queue, this.cluster].filter(each => each !== undefined);
    await Promise.allSettled(servers.map(async each => (await each).stop()));
    if (this.dataDir !== undefined) await removeIfTemporary(this.dataDir);
  }
}

/** Every process of the shop, and how to start it. */
function processesOf(
  settings: Settings,
  databaseUrl: (database: string) => string,
  queue: Readonly<Record<string, string>>,
): ProcessToRun[] {
  return SERVICES.flatMap(service =>
    instancesOf(service.name, settings.scale).map((instance, _, all) => {
      const env = environmentOf(service, instance, settings, databaseUrl, queue);
      const { flags, priority } = processOf(service);
      const sharesPort = service.kind === 'entrance' && all.length > 1;
      return { app: service.name, instance, env, flags, priority, sharesPort };
    }),
  );
}

/** Writes each process's environment, to start one by hand: `nest start points --env-file …`. */
async function writeEnvironments(dataDir: string, processes: readonly ProcessToRun[]): Promise<void> {
  const folder = join(dataDir, 'env');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const { instance, env } of processes) {
    const lines = Object.entries(env).map(([name, value]) => `${name}=${quoted(value)}\n`);
    await writeFile(join(folder, `${instance}.env`), lines.join(''), { mode: 0o600 });
  }
}

/** As Node reads a value from an environment file: between quotes that are not in it. `checkSettings` sees to that. */
function quoted(value: string): string {
  const quote = QUOTES.find(each => !value.includes(each));
  return `${quote}${value}${quote}`;
}

/** The launcher's parent, such as `npm run dev`, may restart apps: `{ kind: 'restart', apps }`. */
function restartOnRequest(processes: readonly Supervised[]): void {
  process.on('message', (message: { kind?: string; apps?: readonly string[] | 'all' }) => {
    if (message.kind !== 'restart') return;
    const { apps = [] } = message;
    for (const each of processes) if (apps === 'all' || apps.includes(each.app)) each.restart();
  });
}

/** Reports what is running, to people and to the tools that come with the shop. */
async function announce(
  { dataDir, urls, secrets }: Settings,
  processes: readonly Supervised[],
  brokers: string | undefined,
): Promise<void> {
  const running = { url: urls.gateway, sandbox: urls.sandbox, brokers, launcher: process.pid };
  await writeFile(join(dataDir, 'running.json'), `${JSON.stringify(running, null, 2)}\n`);
  say(`${processes.length} processes are up; their logs are in ${join(dataDir, 'logs')}`);
  say(`The sandbox, which plays the outside world, is at ${urls.sandbox}`);
  say(`Operator password: ${secrets.operatorPassword}`);
  say(`Sluice is ready at ${urls.gateway}`);
  say('Press Ctrl-C to stop.');
}

const shop = new Shop();
main(shop).catch((error: unknown) => shop.refuse(error));
