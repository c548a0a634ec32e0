import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientOptions } from './client/http.js';
import { Launcher } from './launcher.js';
import { RunningShop } from './running-shop.js';
import { markTemporary } from './temporary.js';
import { warm } from './warm-template.js';

export interface StartShopOptions {
  /** The queue; `SLUICE_TRANSPORT`, or PostgreSQL. */
  readonly transport?: 'postgres' | 'kafka';
  /** With Kafka: how many brokers to start, or `host:port,host:port` of brokers that run. */
  readonly brokers?: 1 | 3 | string;
  /** How many instances of each service; one if it is not named. */
  readonly scale?: Readonly<Record<string, number>>;
  /** Starts the launcher with `--lab`: the naive `sync` mode and a clock that can be advanced. */
  readonly lab?: boolean;
  /** A directory to keep; without one, the shop has a temporary one, which is removed when the shop stops. */
  readonly dataDir?: string;
  /** A free one if left out. */
  readonly port?: number;
  /** Settings of the launcher and of the apps; see docs/settings.md. */
  readonly env?: Readonly<Record<string, string>>;
  /** Of `client`. */
  readonly clientOptions?: ClientOptions;
}

const OPERATOR_PASSWORD = 'operator-of-the-test';

/**
 * Starts a shop of its own, as `npm start` does, and resolves when all of it is up. Any number of them run side by
 * side. It ends with `stop()`, or when this process does, and then leaves nothing behind.
 * @throws Error with the launcher's words when it cannot start
 */
export async function startShop(options: StartShopOptions = {}): Promise<RunningShop> {
  const { transport = process.env['SLUICE_TRANSPORT'] ?? 'postgres', env = {} } = options;
  const dataDir = options.dataDir ?? (await temporaryDataDir(transport));
  const launcher = Launcher.launch({
    dataDir,
    args: argumentsOf(options, transport),
    env: {
      SLUICE_OPERATOR_PASSWORD: OPERATOR_PASSWORD,
      PORT: String(options.port ?? 0),
      ...env,
    },
  });
  const url = await launcher.ready();
  const password = env['SLUICE_OPERATOR_PASSWORD'] ?? OPERATOR_PASSWORD;
  return RunningShop.open(launcher, url, dataDir, password, options.clientOptions);
}

/** Only PostgreSQL's queue lies in the data directory, where a template can have it. */
async function temporaryDataDir(transport: string): Promise<string> {
  // Closed to every other account.
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-shop-'));
  try {
    if (transport === 'postgres') await warm(dataDir);
    await markTemporary(dataDir);
  } catch (error) {
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  }
  return dataDir;
}

function argumentsOf({ brokers, scale, lab }: StartShopOptions, transport: string): string[] {
  const counts = Object.entries(scale ?? {}).map(([service, count]) => `${service}=${count}`);
  return [
    ...['--transport', transport],
    ...(brokers === undefined ? [] : ['--brokers', String(brokers)]),
    ...(counts.length === 0 ? [] : ['--scale', counts.join(',')]),
    ...(lab ? ['--lab'] : []),
  ];
}
