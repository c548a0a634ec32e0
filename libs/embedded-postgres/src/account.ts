import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PostgresStartError } from './errors.js';

/** The operating system account that PostgreSQL runs under, when it must not be our own. */
export interface Account {
  /** As `id` reports it; the number if the directory's owner has no name. */
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root. If we are root, it runs as the account that already owns the cluster,
 * else as an existing one: `postgres` if a package created it, else `nobody`. If we are anyone else, it runs
 * as that user.
 * @throws PostgresStartError when there is no such account
 */
export function accountForPostgres(dataDir: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const version = join(dataDir, 'PG_VERSION');
  if (existsSync(version)) {
    const { uid, gid } = statSync(version);
    if (uid !== 0) return { name: id('-nu', String(uid)) ?? String(uid), uid, gid };
  }
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = [id('-u', name), id('-g', name)];
    if (uid !== undefined && gid !== undefined) return { name, uid: Number(uid), gid: Number(gid) };
  }
  throw new PostgresStartError(
    'PostgreSQL does not run as root and this machine has neither a "postgres" nor a "nobody" account; ' +
      'add one or start Sluice as another user',
  );
}

/** The output of the system's `id`; undefined if there is no such account. */
function id(flag: '-u' | '-g' | '-nu', account: string): string | undefined {
  try {
    return execFileSync('id', [flag, account], {
      stdio: ['ignore', 'pipe', 'ignore'],
      encoding: 'utf8',
    }).trim();
  } catch {
    return undefined;
  }
}
