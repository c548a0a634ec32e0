import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Transport } from '#messaging';
import { TEST_TRANSPORT } from '#testkit';
import { KafkaTransport } from '#transport-kafka';
import { PostgresTransport } from '#transport-postgres';
import { Shop } from '../../tools/client/shop.js';
import { kill, runningProcesses } from './processes.js';

export const OPERATOR_PASSWORD = 'operator-of-the-test';

/** A shop started as a person would start it, on a data directory of its own. */
export class RunningShop {
  readonly lines: string[] = [];

  private constructor(
    readonly dataDir: string,
    private readonly launcher: ChildProcess,
  ) {}

  /** A data directory that a shop can be started on, again and again. */
  static async dataDir(): Promise<string> {
    // Closed to every other account, as root's home is.
    return mkdtemp(join(tmpdir(), 'sluice-e2e-'));
  }

  static launch(
    dataDir: string,
    env: Record<string, string> = {},
    args: readonly string[] = [],
  ): RunningShop {
    const inherited = { ...process.env, NODE_OPTIONS: '' };
    const transport = process.env[TEST_TRANSPORT] === 'kafka' ? ['--transport', 'kafka'] : [];
    const launcher = spawn('node', [resolve('dist/apps/stack/src/main.js'), ...transport, ...args], {
      env: {
        ...inherited,
        PORT: '0',
        SLUICE_OPERATOR_PASSWORD: OPERATOR_PASSWORD,
        ...env,
        SLUICE_DATA_DIR: dataDir,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const shop = new RunningShop(dataDir, launcher);
    for (const stream of [launcher.stdout!, launcher.stderr!]) {
      createInterface({ input: stream }).on('line', line => shop.lines.push(line));
    }
    return shop;
  }

  /** Resolves when the shop reports that it is ready. */
  static async start(
    dataDir: string,
    args: readonly string[] = [],
    env: Record<string, string> = {},
  ): Promise<RunningShop> {
    const shop = RunningShop.launch(dataDir, env, args);
    const ended = once(shop.launcher, 'exit').then(() => Promise.reject(new Error(shop.lines.join('\n'))));
    const ready = new Promise<void>(done => {
      createInterface({ input: shop.launcher.stdout! }).on('line', line => {
        if (line.startsWith('Sluice is ready at ')) done();
      });
    });
    await Promise.race([ready, ended]);
    ended.catch(() => undefined);
    return shop;
  }

  get url(): string {
    return this.lines
      .find(line => line.startsWith('Sluice is ready at '))!
      .slice('Sluice is ready at '.length);
  }

  client(connections?: number): Shop {
    return new Shop(this.url, OPERATOR_PASSWORD, connections);
  }

  async sandboxUrl(): Promise<string> {
    const running = JSON.parse(await readFile(join(this.dataDir, 'running.json'), 'utf8')) as {
      sandbox: string;
    };
    return running.sandbox;
  }

  /** Opens the queue, for a test that plays a stranger to the shop. */
  async openQueue(): Promise<Transport> {
    const instance = 'stranger';
    if (process.env[TEST_TRANSPORT] !== 'kafka')
      return new PostgresTransport({ url: await this.databaseUrl('sluice_log'), instance });
    const ports = await this.settled<Record<string, number>>('ports.json');
    const brokers = [`127.0.0.1:${ports['kafka-1']!}`];
    return new KafkaTransport({ brokers, instance, prefix: 'sluice.' });
  }

  async databaseUrl(name: string): Promise<string> {
    const { postgres } = await this.settled<{ postgres: number }>('ports.json');
    const { database } = await this.settled<{ database: string }>('secrets.json');
    return `postgres://sluice:${database}@127.0.0.1:${postgres}/${name}`;
  }

  private async settled<T>(file: string): Promise<T> {
    return JSON.parse(await readFile(join(this.dataDir, file), 'utf8')) as T;
  }

  /** The exit code, once it has ended. */
  async ended(): Promise<number | null> {
    if (this.launcher.exitCode === null && this.launcher.signalCode === null)
      await once(this.launcher, 'exit');
    return this.launcher.exitCode;
  }

  async stop(): Promise<number | null> {
    this.launcher.kill('SIGTERM');
    return this.ended();
  }

  /** `kill -9` of the launcher alone. */
  async killLauncher(): Promise<void> {
    this.launcher.kill('SIGKILL');
    await this.ended();
  }

  /** `kill -9` of the launcher and of everything it started. */
  async killEverything(): Promise<void> {
    await this.killLauncher();
    for (const { pid } of await this.processes()) kill(pid);
    while ((await this.processes()).length > 0) await new Promise(done => setTimeout(done, 20));
  }

  /** Every process that belongs to this shop: the apps, PostgreSQL with its children, and the brokers. */
  async processes(): Promise<{ pid: number; command: string; app: string | undefined }[]> {
    const all = (await runningProcesses()).filter(({ pid }) => pid !== this.launcher.pid);
    const named = new Set(all.filter(each => each.command.includes(this.dataDir)).map(({ pid }) => pid));
    return all
      .filter(({ pid, parent }) => named.has(pid) || named.has(parent))
      .map(({ pid, command }) => ({
        pid,
        command,
        app: /dist\/(?:bundle\/)?apps\/([a-z-]+)\/src\/main\.js/.exec(command)?.[1],
      }));
  }

  static async remove(dataDir: string): Promise<void> {
    await rm(dataDir, { recursive: true, force: true });
  }
}
