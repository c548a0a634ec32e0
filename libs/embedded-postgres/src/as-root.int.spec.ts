import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { eventually } from '#testkit';
import { accountForPostgres } from './account.js';
import { PostgresCluster } from './cluster.js';
import { findPrograms, LONGEST_PATH_BYTES, packaged } from './programs.js';

const isRoot = process.getuid?.() === 0;

describe('PostgreSQL’s programs', () => {
  it('are refused where the path is longer than PostgreSQL takes', () => {
    const folder = `/${'long-'.repeat(LONGEST_PATH_BYTES / 5)}`;
    expect(() => findPrograms(undefined, { folder, version: '18' })).toThrow(/no path of more than/);
  });
});

(isRoot ? describe : describe.skip)('as root', () => {
  /** A directory that is closed to every other account. */
  let closed: string;

  beforeEach(() => {
    closed = mkdtempSync(join(tmpdir(), 'sluice-closed-'));
  });

  afterEach(() => {
    rmSync(closed, { recursive: true, force: true });
  });

  async function query<T>(cluster: PostgresCluster, sql: string): Promise<T[]> {
    const client = new pg.Client({ connectionString: cluster.url('postgres') });
    await client.connect();
    try {
      return (await client.query(sql)).rows as T[];
    } finally {
      await client.end();
    }
  }

  it.each([
    ['a closed directory', 'data'],
    ['a path with blanks and umlauts', 'Büro & Söhne (neu)/data dir'],
    ['a path longer than PostgreSQL takes', `${'long-path/'.repeat(120)}data`],
  ])('the server starts in %s, and again after a crash and after kill -9', async (_, path) => {
    const options = { dataDir: join(closed, path), password: 'test', settings: { fsync: 'off' } };
    const first = await PostgresCluster.start(options);
    await query(first, 'CREATE TABLE kept AS SELECT 1 AS n');
    await first.restart('immediate');
    expect(await query(first, 'TABLE kept')).toEqual([{ n: 1 }]);

    process.kill(first.pid!, 'SIGKILL');
    const second = await PostgresCluster.start(options);
    expect(await query(second, 'TABLE kept')).toEqual([{ n: 1 }]);

    // A killed launcher left its server running: the next start stops it and takes over.
    const third = await PostgresCluster.start(options);
    expect(await query(third, 'TABLE kept')).toEqual([{ n: 1 }]);
    await expect(query(second, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
    await third.stop('immediate');
  });

  it.each([
    ['a program that started after a reboot', ['exec sleep 1000']],
    ['a dead process that nobody collects', ['sleep 0.1 & echo $!; exec sleep 1000']],
  ])('the server starts when its lock file names %s, which is left alone', async (_, [script]) => {
    const options = { dataDir: join(closed, 'data'), password: 'test', settings: { fsync: 'off' } };
    const first = await PostgresCluster.start(options);
    const { uid, gid } = statSync(options.dataDir);
    process.kill(first.pid!, 'SIGKILL');
    const other = spawn('sh', ['-c', script!], { uid, gid, cwd: '/', stdio: ['ignore', 'pipe', 'ignore'] });
    const pid = script!.includes('echo') ? Number(await once(other.stdout, 'data')) : other.pid!;
    if (pid !== other.pid)
      await eventually(
        async () => readFileSync(`/proc/${pid}/stat`, 'utf8'),
        stat => stat.includes(') Z '),
      );
    const pidFile = join(options.dataDir, 'postmaster.pid');
    writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, String(pid)));

    const second = await PostgresCluster.start(options);
    expect(await query(second, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
    expect(other.exitCode).toBeNull();
    expect(other.signalCode).toBeNull();
    await second.stop('immediate');
    other.kill('SIGKILL');
  });

  it('the server has no capability, and writes nowhere but in its directory', async () => {
    const cluster = await PostgresCluster.start({ dataDir: join(closed, 'data'), password: 'test' });
    const status = readFileSync(`/proc/${cluster.pid!}/status`, 'utf8');
    const held = [...status.matchAll(/^Cap(?:Inh|Prm|Eff|Amb):\s*(\S+)$/gm)].map(([, mask]) => mask);
    expect(held).toEqual(Array(4).fill('0000000000000000'));
    expect(/^Uid:\s*(\d+)/m.exec(status)?.[1]).not.toBe('0');
    for (const path of ['/etc/sluice-was-here', join(closed, 'here')]) {
      await expect(query(cluster, `COPY (SELECT 1) TO '${path}'`)).rejects.toThrow('Permission denied');
      expect(existsSync(path)).toBe(false);
    }
    await cluster.stop('immediate');
  });

  it('the server keeps the account that owns its directory', async () => {
    const dataDir = join(closed, 'data');
    const cluster = await PostgresCluster.start({ dataDir, password: 'test' });
    await cluster.stop();
    const { uid } = statSync(join(dataDir, 'PG_VERSION'));
    expect(accountForPostgres(dataDir)).toMatchObject({ uid });
  });

  describe('programs that the account cannot reach', () => {
    const copies: string[] = [];
    const account = { name: 'nobody', uid: 65_534, gid: 65_534 };
    let original: { folder: string; version: string };

    beforeEach(() => {
      original = { folder: join(closed, 'Büro', 'native'), version: packaged().version };
      cpSync(packaged().folder, original.folder, { recursive: true, verbatimSymlinks: true });
    });

    afterEach(() => {
      for (const copy of copies.splice(0)) rmSync(copy, { recursive: true, force: true });
    });

    function reachable(): string {
      // Programs must be allowed to run from there, which a temporary directory may forbid.
      const folder = mkdtempSync('/var/cache/sluice-test-');
      chmodSync(folder, 0o755);
      copies.push(folder);
      return folder;
    }

    it('are run from a copy that is made once, and again when it has lost a file', () => {
      const parent = join(reachable(), 'sluice');
      const copy = findPrograms(account, original, [parent]);
      expect(copy).toEqual({ folder: expect.stringContaining(parent), copied: true });
      const made = statSync(copy.folder).ino;
      expect(findPrograms(account, original, [parent])).toEqual(copy);
      expect(statSync(copy.folder).ino).toBe(made);

      rmSync(join(copy.folder, 'share'), { recursive: true });
      expect(findPrograms(account, original, [parent])).toEqual(copy);
      expect(existsSync(join(copy.folder, 'share'))).toBe(true);
    });

    it('are copied to the first place that is safe and can be reached; where there is none, each is named', () => {
      const open = reachable();
      chmodSync(open, 0o777);
      const hidden = join(closed, 'hidden');
      mkdirSync(hidden);
      const good = join(reachable(), 'sluice');
      expect(findPrograms(account, original, [open, hidden, '/proc/sluice', good]).folder).toContain(good);
      const refusal = () => findPrograms(account, original, [open, hidden, '/proc/sluice']);
      for (const place of [open, hidden, '/proc/sluice', 'start Sluice as another user'])
        expect(refusal).toThrow(place);
    });
  });
});
