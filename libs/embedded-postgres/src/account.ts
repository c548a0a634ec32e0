import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** The operating system account that PostgreSQL runs under, when it must not be our own. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root. As root we hand it to an account that is already there:
 * `postgres` where a package made one, else `nobody`. As anyone else it runs as that user.
 */
export function accountForPostgres(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) =>
        Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // no such account: try the next
    }
  }
  throw new Error(
    'PostgreSQL does not run as root and this machine has neither a "postgres" nor a "nobody" account; ' +
      'add one or start Sluice as another user',
  );
}

/** The first directory above `path` that `account` may not pass through, if any. */
export function blockedAt(path: string, account: Account): string | undefined {
  for (let dir = path; ; dir = dirname(dir)) {
    if (existsSync(dir)) {
      const { mode, uid, gid } = statSync(dir);
      const search = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
      if ((mode & search) === 0) return dir;
    }
    if (dir === dirname(dir)) return undefined;
  }
}

/**
 * The command that runs `program` as `account`. A checkout below a closed directory, such as root's own
 * home, gets the one capability that lets PostgreSQL pass through it; its data stays its own.
 */
export function commandAs(
  account: Account | undefined,
  program: string,
  args: readonly string[],
  paths: readonly string[],
): { command: string; args: string[]; ids: Partial<Account> } {
  if (account === undefined) return { command: program, args: [...args], ids: {} };
  const blocked = paths.map(path => blockedAt(path, account)).find(dir => dir !== undefined);
  if (blocked === undefined) return { command: program, args: [...args], ids: account };
  try {
    execFileSync('setpriv', ['--version'], { stdio: 'ignore' });
  } catch {
    throw new Error(
      `PostgreSQL does not run as root, and account ${account.uid} may not pass through ${blocked}; ` +
        `move the checkout and SLUICE_DATA_DIR elsewhere, run "chmod o+x ${blocked}", or start as another user`,
    );
  }
  const asAccount = [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'];
  const passThrough = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  return { command: 'setpriv', args: [...asAccount, ...passThrough, '--', program, ...args], ids: {} };
}
