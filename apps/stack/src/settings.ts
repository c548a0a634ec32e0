import { randomBytes } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { access, mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { chooseFree, isFree } from './ports.js';
import type { QueueChoice, Secrets, Settings } from './settled.js';
import { SERVICES } from './services.js';

/** A start that cannot succeed: one line for the person, exit code 1. */
export class StartRefused extends Error {}

const HOST = '127.0.0.1';
/** Where the shop is found, if nobody says otherwise. */
export const DEFAULT_PORT = 3000;
const SCALABLE = SERVICES.filter(({ rpc, sharesPort }) => rpc || sharesPort).map(({ name }) => name);

const Environment = z.object({
  PORT: z.coerce
    .number('is no port, write 0 to 65535')
    .int('is no port, write 0 to 65535')
    .min(0, 'is no port, write 0 to 65535')
    .max(65_535, 'is no port, write 0 to 65535')
    .default(DEFAULT_PORT),
  SLUICE_DATA_DIR: z.string().min(1).default('.sluice'),
  SLUICE_OPERATOR_PASSWORD: z.string().min(8, 'is shorter than 8 characters').optional(),
});

const KNOWN = '--scale seckill=2,points=3, --transport postgres|kafka and --brokers 1|3|host:port,host:port';

/** @throws StartRefused for anything that cannot be understood */
export function readArguments(argv: readonly string[]): {
  scale: ReadonlyMap<string, number>;
  queue: QueueChoice;
} {
  let values: { scale?: string; transport?: string; brokers?: string };
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: { scale: { type: 'string' }, transport: { type: 'string' }, brokers: { type: 'string' } },
    }));
  } catch (error) {
    throw new StartRefused(`${(error as Error).message.split('.')[0]}; known are ${KNOWN}`);
  }
  return { scale: readScale(values.scale), queue: readQueue(values.transport ?? 'postgres', values.brokers) };
}

function readQueue(transport: string, brokers: string | undefined): QueueChoice {
  if (transport === 'postgres' && brokers === undefined) return { transport };
  if (transport === 'postgres') throw new StartRefused('--brokers is for --transport kafka');
  if (transport !== 'kafka') {
    throw new StartRefused(`--transport ${transport} is not known; there are postgres and kafka`);
  }
  const here = brokers ?? '1';
  if (here === '1' || here === '3') return { transport, brokers: here === '1' ? 1 : 3 };
  const elsewhere = here.split(',');
  if (!elsewhere.every(each => /^[^\s:]+:\d{1,5}$/.test(each))) {
    throw new StartRefused(
      `--brokers ${here} is not understood; write 1 or 3 for brokers here, or host:port,host:port`,
    );
  }
  return { transport, brokers: elsewhere };
}

function readScale(text: string | undefined): ReadonlyMap<string, number> {
  const scale = new Map<string, number>();
  for (const part of text?.split(',') ?? []) {
    const [, name = '', count = ''] = /^([a-z-]+)=(\d{1,2})$/.exec(part) ?? [];
    if (!SCALABLE.includes(name) || Number(count) < 1) {
      throw new StartRefused(
        `--scale ${part} is not understood; write seckill=2,points=3 with ${SCALABLE.join(', ')}`,
      );
    }
    scale.set(name, Number(count));
  }
  return scale;
}

/** The data directory, made if it is not there. @throws StartRefused when it cannot be written */
export async function openDataDir(env: NodeJS.ProcessEnv): Promise<string> {
  const { SLUICE_DATA_DIR } = parseEnvironment(env);
  const path = resolve(SLUICE_DATA_DIR);
  try {
    await makeDirectory(path);
    if (!(await stat(path)).isDirectory()) throw new Error('it is no directory');
    await access(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new StartRefused(
      `the data directory ${path} cannot be written (${reason}); set SLUICE_DATA_DIR to one that can`,
    );
  }
  return realpath(path);
}

// Step by step: Node's own recursive mkdir never comes back from a file system that takes no directories.
async function makeDirectory(path: string): Promise<void> {
  if (existsSync(path)) return;
  await makeDirectory(dirname(path));
  await mkdir(path, { mode: 0o755 });
}

/** Everything that is settled before anything starts. Ports and secrets stay the same from start to start. */
export async function settle(
  dataDir: string,
  env: NodeJS.ProcessEnv,
  scale: ReadonlyMap<string, number>,
  queuePorts: readonly string[],
): Promise<Settings> {
  const { PORT, SLUICE_OPERATOR_PASSWORD } = parseEnvironment(env);
  if (PORT !== 0 && !(await isFree(HOST, PORT))) {
    throw new StartRefused(`port ${PORT} is taken; stop what uses it, or set PORT to another`);
  }
  const kept = await keep<Secrets>(join(dataDir, 'secrets.json'), before => ({
    database: before.database ?? token(24),
    session: before.session ?? token(48),
    payment: before.payment ?? token(32),
    merchant: before.merchant ?? webhookSecret(),
    alert: before.alert ?? webhookSecret(),
    operatorPassword: SLUICE_OPERATOR_PASSWORD ?? before.operatorPassword ?? token(12),
  }));
  const names = SERVICES.filter(service => service.rpc).flatMap(service => instancesOf(service.name, scale));
  const ports = await keep<Record<string, number>>(join(dataDir, 'ports.json'), before =>
    chooseFree(
      HOST,
      ['postgres', 'sandbox', ...queuePorts, ...names, ...(PORT === 0 ? ['gateway'] : [])],
      before,
    ),
  );
  const gateway = PORT === 0 ? ports['gateway']! : PORT;
  return {
    dataDir,
    secrets: kept,
    ports: { ...ports, gateway },
    urls: { gateway: `http://${HOST}:${gateway}`, sandbox: `http://${HOST}:${ports['sandbox']!}` },
    scale,
  };
}

export function instancesOf(service: string, scale: ReadonlyMap<string, number>): string[] {
  return Array.from({ length: scale.get(service) ?? 1 }, (_, n) => `${service}-${n + 1}`);
}

/** What every instance of a service is told. */
export function environmentOf(
  { name, database, env, rpc }: (typeof SERVICES)[number],
  instance: string,
  settings: Settings,
  databaseUrl: (database: string) => string,
  queue: Readonly<Record<string, string>>,
): Record<string, string> {
  const answering = SERVICES.filter(service => service.rpc).map(service => service.name);
  const addresses = answering.map(service => [
    service,
    instancesOf(service, settings.scale).map(each => `${HOST}:${settings.ports[each]!}`),
  ]);
  return {
    SLUICE_INSTANCE: instance,
    ...queue,
    SLUICE_INSTANCES: JSON.stringify(Object.fromEntries(addresses)),
    ...(rpc && { RPC_PORT: String(settings.ports[`${name}-${instance.split('-').at(-1)!}`]!) }),
    ...(database !== undefined && { DATABASE_URL: databaseUrl(database) }),
    // The outside world has somebody who is told of alerts, too.
    ...(rpc &&
      database !== undefined && {
        ALERT_WEBHOOK_URL: `${settings.urls.sandbox}/pager`,
        ALERT_WEBHOOK_SECRET: settings.secrets.alert,
      }),
    ...env?.(settings),
  };
}

function parseEnvironment(env: NodeJS.ProcessEnv): z.output<typeof Environment> {
  const parsed = Environment.safeParse(env);
  if (parsed.success) return parsed.data;
  throw new StartRefused(
    parsed.error.issues.map(issue => `${issue.path.join('.')} ${issue.message}`).join('; '),
  );
}

// Written beside and moved over: a crash leaves the old file or the new one.
export async function keep<T extends object>(
  path: string,
  complete: (before: Partial<T>) => T | Promise<T>,
): Promise<T> {
  let before: Partial<T> = {};
  try {
    before = JSON.parse(await readFile(path, 'utf8')) as Partial<T>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new StartRefused(`${path} cannot be read (${(error as Error).message}); mend it or move it away`);
    }
  }
  const now = await complete(before);
  await writeFile(`${path}.new`, `${JSON.stringify(now, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return now;
}

/** As Standard Webhooks has it. */
function webhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

function token(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}
