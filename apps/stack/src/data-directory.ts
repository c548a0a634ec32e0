import { constants, existsSync } from 'node:fs';
import { access, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { StartRefused } from './start-refused.js';

/** The data directory, created if it does not exist. @throws StartRefused when it cannot be written */
export async function openDataDir(wanted: string): Promise<string> {
  const path = resolve(wanted);
  try {
    await makeDirectory(path);
    if (!(await stat(path)).isDirectory()) throw new Error('it is not a directory');
    await access(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new StartRefused(
      `the data directory ${path} cannot be written (${reason}); set SLUICE_DATA_DIR to one that can`,
    );
  }
  return realpath(path);
}

// One level at a time: Node's own recursive mkdir never returns on a file system that accepts no directories.
async function makeDirectory(path: string): Promise<void> {
  if (existsSync(path)) return;
  await makeDirectory(dirname(path));
  await mkdir(path, { mode: 0o755 });
}

/**
 * Whoever made the directory for one run alone, such as a test, marks it by a file of this name: it may be gone when the
 * shop stops, and then we remove the directory.
 */
const TEMPORARY = 'temporary';

export async function removeIfTemporary(dataDir: string): Promise<void> {
  if (existsSync(join(dataDir, TEMPORARY))) await rm(dataDir, { recursive: true, force: true });
}

/** What a file of the data directory keeps; nothing when there is none. @throws StartRefused when it cannot be read */
export async function readKept<T extends object>(path: string): Promise<Partial<T>> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Partial<T>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new StartRefused(
      `${path} cannot be read (${(error as Error).message}); correct it or move it away`,
    );
  }
}

// Writes a new file and renames it: a crash leaves either the old file or the new one.
export async function keep<T extends object>(
  path: string,
  complete: (before: Partial<T>) => T | Promise<T>,
): Promise<T> {
  const now = await complete(await readKept<T>(path));
  await writeFile(`${path}.new`, `${JSON.stringify(now, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
  return now;
}
