import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endLeftover, runProgram, ServerProcess } from '#server-process';
import { type KafkaJava, KafkaStartError } from './java.js';

export interface BrokerOptions {
  readonly java: KafkaJava;
  /** Keeps `server.properties`, the log and the process id. */
  readonly folder: string;
  readonly clusterId: string;
  readonly properties: Readonly<Record<string, string>>;
  /** Additional arguments for formatting, such as `--add-scram`. */
  readonly format: readonly string[];
}

/** One Apache Kafka process, broker and controller in one (KRaft). */
export class Broker {
  private server: ServerProcess | undefined;
  private unexpectedExit: (() => void) | undefined;

  constructor(private readonly options: BrokerOptions) {}

  get pid(): number | undefined {
    return this.server?.pid;
  }

  /**
   * Stops a broker that a killed launcher left behind, formats the log folder if needed, and starts.
   * @throws KafkaStartError with the broker's own last words
   */
  async start(): Promise<void> {
    const { java, folder } = this.options;
    await mkdir(folder, { recursive: true });
    await this.endLeftover();
    await this.writeProperties();
    await this.format();
    await ServerProcess.start({
      name: 'Apache Kafka',
      ready: 'Kafka Server started',
      onSpawn: server => {
        this.server = server;
        writeFileSync(this.pidFile, String(server.pid));
      },
      ...java.command('kafka.Kafka', [this.propertiesFile]),
    });
    this.server?.onUnexpectedExit(() => this.unexpectedExit?.());
  }

  /** SIGTERM hands over and flushes; SIGKILL acts like a power failure. The broker may still be starting. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.server?.end(signal);
    this.server = undefined;
    await rm(this.pidFile, { force: true });
  }

  onUnexpectedExit(listener: () => void): void {
    this.unexpectedExit = listener;
  }

  private get propertiesFile(): string {
    return join(this.options.folder, 'server.properties');
  }

  private get pidFile(): string {
    return join(this.options.folder, 'broker.pid');
  }

  private async writeProperties(): Promise<void> {
    const properties = { ...this.options.properties, 'log.dirs': join(this.options.folder, 'log') };
    const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(this.propertiesFile, lines.join(''), { mode: 0o600 });
  }

  private async format(): Promise<void> {
    const { java, folder, clusterId, format } = this.options;
    const done = join(folder, 'formatted');
    if (existsSync(done)) return;
    // A start that was killed during formatting leaves an incomplete log. Nothing was ever stored in it.
    await rm(join(folder, 'log'), { recursive: true, force: true });
    const args = ['format', `--cluster-id=${clusterId}`, '--config', this.propertiesFile, ...format];
    const { code, lastWords } = await runProgram(java.command('kafka.tools.StorageTool', args));
    if (code !== 0) throw new KafkaStartError(`Apache Kafka cannot use ${folder}: ${lastWords}`);
    await writeFile(done, '');
  }

  private async endLeftover(): Promise<void> {
    if (!existsSync(this.pidFile)) return;
    const pid = Number(await readFile(this.pidFile, 'utf8'));
    const { output } = await runProgram({ command: 'ps', args: ['-ww', '-o', 'args=', '-p', String(pid)] });
    // Process ids are reused: end the process only if it was started with this file.
    if (output.includes(this.propertiesFile)) await endLeftover(pid, 'SIGKILL');
    await rm(this.pidFile, { force: true });
  }
}
