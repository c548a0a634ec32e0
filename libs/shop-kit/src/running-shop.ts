import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import type { Audit } from './client/audit.js';
import type { ClientOptions } from './client/http.js';
import { ShopClient } from './client/shop-client.js';
import { Faults } from './faults.js';
import type { Launcher } from './launcher.js';
import { type Instance, instancesIn, runningProcesses } from './processes.js';

/** A shop that `startShop` has started. */
export class RunningShop {
  readonly client: ShopClient;
  readonly faults: Faults;
  private readonly clients: ShopClient[] = [];

  private constructor(
    readonly launcher: Launcher,
    readonly url: string,
    /** Of the sandbox, which plays the outside world. */
    readonly sandboxUrl: string,
    readonly dataDir: string,
    readonly operatorPassword: string,
    options: ClientOptions | undefined,
  ) {
    this.client = this.connect(options);
    this.faults = new Faults(this);
  }

  static async open(
    launcher: Launcher,
    url: string,
    dataDir: string,
    operatorPassword: string,
    options?: ClientOptions,
  ): Promise<RunningShop> {
    const { sandbox } = z
      .object({ sandbox: z.url() })
      .parse(JSON.parse(await readFile(join(dataDir, 'running.json'), 'utf8')));
    return new RunningShop(launcher, url, sandbox, dataDir, operatorPassword, options);
  }

  /** Another client, with connections of its own. It is closed with the shop. */
  connect(options?: ClientOptions): ShopClient {
    const client = new ShopClient(this.url, this.operatorPassword, options);
    this.clients.push(client);
    return client;
  }

  /** Every invariant of the shop, once nothing is on its way any more; as it is, when that does not come. */
  async audit(): Promise<Audit> {
    return this.client.operator.untilSettled();
  }

  /** What the launcher has said so far. */
  get lines(): readonly string[] {
    return this.launcher.lines;
  }

  /** Every process that belongs to this shop: the apps, PostgreSQL with its children, and the brokers. */
  async processes(): Promise<Instance[]> {
    const others = (await runningProcesses()).filter(({ pid }) => pid !== this.launcher.pid);
    return instancesIn(others, this.dataDir);
  }

  /** The URL of one of the shop's databases, such as `sluice_order`, for PostgreSQL's superuser. */
  async databaseUrl(name: string): Promise<string> {
    const { postgres } = await this.kept<{ postgres: number }>('ports.json');
    const { database } = await this.kept<{ database: string }>('secrets.json');
    return `postgres://sluice:${database}@127.0.0.1:${postgres}/${name}`;
  }

  /** The environment that an instance runs with, such as `points-1`: for a service of your own beside it. */
  async environmentOf(instance: string): Promise<Record<string, string>> {
    return parseEnv(await readFile(join(this.dataDir, 'env', `${instance}.env`), 'utf8')) as Record<
      string,
      string
    >;
  }

  /** The launcher's exit code, once it has ended. */
  async ended(): Promise<number | null> {
    return this.launcher.ended();
  }

  /** Stops it in order. A temporary data directory is removed. @returns the launcher's exit code */
  async stop(): Promise<number | null> {
    await Promise.all(this.clients.map(client => client.close()));
    return this.launcher.stop();
  }

  private async kept<T>(file: string): Promise<T> {
    return JSON.parse(await readFile(join(this.dataDir, file), 'utf8')) as T;
  }
}
