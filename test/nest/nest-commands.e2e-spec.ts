import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, Gathered } from '#testkit';
import { ShopClient } from '#shop-kit';

const LEFT_OUT = new Set(['node_modules', 'dist', '.git', '.sluice']);
const env = { ...process.env, NODE_OPTIONS: '' };

/** A program that runs until it is stopped, and what it has said so far. */
class Running {
  readonly lines = new Gathered<string>();

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout!, child.stderr!])
      createInterface({ input: stream }).on('line', line => this.lines.add(line));
  }

  static start(folder: string, args: readonly string[], more: Record<string, string> = {}): Running {
    const options = { cwd: folder, env: { ...env, ...more }, stdio: 'pipe' as const, detached: true };
    return new Running(spawn('node', args, options));
  }

  /** The first line that contains the text. */
  async says(text: string): Promise<string> {
    const lines = await this.lines.until(all => all.some(line => line.includes(text)));
    return lines.find(line => line.includes(text))!;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    // The whole group: a program that started another does not always end it.
    process.kill(-this.child.pid!, 'SIGTERM');
    await exited;
  }
}

describe('a checkout, used as any Nest monorepo', () => {
  let folder: string;
  const nest = (...args: string[]) => ['node_modules/@nestjs/cli/bin/nest.js', ...args];

  async function copy(): Promise<string> {
    const made = await mkdtemp(join(tmpdir(), 'sluice-nest-'));
    const filter = (path: string) => !LEFT_OUT.has(basename(path));
    await cp('.', made, { recursive: true, filter });
    await symlink(resolve('node_modules'), join(made, 'node_modules'));
    return made;
  }

  beforeAll(async () => {
    folder = await copy();
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('builds an app and a library, and generates into an app', async () => {
    const run = promisify(execFile);
    const options = { cwd: folder, env };
    await run('node', nest('generate', 'service', 'greeting', '--project', 'points'), options);
    const module = await readFile(join(folder, 'apps/points/src/points.module.ts'), 'utf8');
    expect(module).toContain("import { GreetingService } from './greeting/greeting.service.js';");
    await run('node', nest('build', 'points'), options);
    await run('node', nest('build', 'messaging'), options);
    const built = await readFile(join(folder, 'dist/apps/points/src/points.module.js'), 'utf8');
    expect(built).toContain('GreetingService');
  });

  it('gets a new app, which builds', async () => {
    // In a copy of its own: it changes package.json, after which the project would install into the linked packages.
    const another = await copy();
    const options = { cwd: another, env };
    await promisify(execFile)('node', nest('generate', 'app', 'warehouse'), options);
    await promisify(execFile)('node', nest('build', 'warehouse'), options);
    expect(await readFile(join(another, 'dist/apps/warehouse/apps/warehouse/src/main.js'), 'utf8')).toContain(
      'listen',
    );
    await rm(another, { recursive: true, force: true });
  });

  it('starts again what was changed, and lets one app be started by hand', async () => {
    const dataDir = join(folder, 'data');
    const dev = Running.start(folder, ['tools/dev.js', '--without', 'points'], {
      PORT: '0',
      SLUICE_DATA_DIR: dataDir,
    });
    const url = (await dev.says('Sluice is ready at ')).slice('Sluice is ready at '.length);
    const points = Running.start(
      folder,
      nest('start', 'points', '--watch', '--env-file', join(dataDir, 'env/points-1.env')),
    );
    const shop = new ShopClient(url, '');
    const token = await shop.signIn('ann');
    const statusOf = async (path: string) => (await shop.call('GET', path, { token })).status;
    await eventually(
      () => statusOf('/api/me/points'),
      status => status === 200,
    );

    await appendFile(join(folder, 'apps/order/src/order.requests.ts'), '\nconst = 1;\n');
    await dev.says('order.requests.ts does not compile');
    expect(await statusOf('/api/orders')).toBe(200);
    const source = join(folder, 'apps/order/src/read/read-orders.ts');
    await appendFile(source, '\n// changed\n');
    await dev.says('order-1 was started again');
    await eventually(
      () => statusOf('/api/orders'),
      status => status === 200,
    );
    expect(dev.lines.items.some(line => line.includes('catalog-1 was started again'))).toBe(false);
    await shop.close();
    await points.stop();
    await dev.stop();
  });
});
