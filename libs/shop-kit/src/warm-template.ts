import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chown, cp, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CHECKOUT, Launcher } from './launcher.js';
import { settledAudit } from './client/audit.js';
import { ShopClient } from './client/shop-client.js';
import { markTemporary, unmarkTemporary } from './temporary.js';

/** Beside the build, which replaces it: a template never meets the code of another build. */
const TEMPLATES = join(CHECKOUT, 'dist/.shop-templates');
const PASSWORD = 'operator-of-the-template';
/** What a copy must choose for itself, or tells of a shop that runs. */
const OWN = ['ports.json', 'running.json', 'env', 'logs'];

let template: Promise<string | undefined> | undefined;

/**
 * Fills an empty directory with the data of a shop that has been started once: databases migrated, the demo published.
 * @returns false where no template can be kept, as in a checkout that is read-only
 */
export async function warm(dataDir: string): Promise<boolean> {
  template ??= findOrMake();
  const source = await template;
  if (source === undefined) return false;
  await copy(source, dataDir);
  return true;
}

async function findOrMake(): Promise<string | undefined> {
  const built = await readFile(join(CHECKOUT, 'dist/.built'), 'utf8').catch(() => undefined);
  if (built === undefined) return undefined;
  const path = join(TEMPLATES, createHash('sha256').update(built).digest('hex').slice(0, 16));
  if (await exists(path)) return path;
  try {
    await mkdir(TEMPLATES, { recursive: true });
    await access(TEMPLATES, constants.W_OK);
  } catch {
    return undefined;
  }
  await make(path);
  return path;
}

/** Two processes may make it at once: each makes one of its own, and one of them gets the name. */
async function make(path: string): Promise<void> {
  const making = await mkdtemp(join(TEMPLATES, 'making-'));
  await markTemporary(making);
  const launcher = Launcher.launch({
    dataDir: making,
    env: { SLUICE_OPERATOR_PASSWORD: PASSWORD },
    args: ['--transport', 'postgres'],
  });
  const client = new ShopClient(await launcher.ready(), PASSWORD);
  await settledAudit(client);
  await client.close();
  await unmarkTemporary(making);
  await launcher.stop();
  for (const name of OWN) await rm(join(making, name), { recursive: true, force: true });
  try {
    await rename(making, path);
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    if (!(await exists(path))) throw error;
  }
}

/** Shares the blocks of the files where the file system can. */
async function copy(source: string, target: string): Promise<void> {
  await cp(source, target, { recursive: true, mode: constants.COPYFILE_FICLONE });
  // Root's copies belong to root, and PostgreSQL runs as another account then.
  if (process.getuid?.() === 0) await copyOwners(source, target);
}

async function copyOwners(source: string, target: string): Promise<void> {
  const [{ uid, gid }, entries] = await Promise.all([
    lstat(source),
    readdir(source, { withFileTypes: true }),
  ]);
  await chown(target, uid, gid);
  for (const entry of entries) {
    const [from, to] = [join(source, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) await copyOwners(from, to);
    else if (entry.isFile()) await chown(to, uid, gid);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
