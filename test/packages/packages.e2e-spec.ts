import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startPostgres, type TestPostgres } from '#testkit';

/** Runs a program; what it printed is part of the error. */
const run = (...call: [string, string[], { cwd?: string; env: NodeJS.ProcessEnv }]) =>
  promisify(execFile)(...call).catch((error: Error & { stdout?: string }) => {
    throw new Error(`${error.message}\n${error.stdout}`);
  });
const read = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as { dependencies: object };

describe('the packages', () => {
  let folder: string;
  let postgres: TestPostgres;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-app-'));
    postgres = await startPostgres();
    await postgres.cluster.ensureDatabases(['app', 'queue']);
  });

  afterAll(async () => {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('bring an empty Nest app outbox, inbox, tables and server, with types', async () => {
    const env = { ...process.env, NODE_OPTIONS: '' };
    await run('node', [resolve('tools/pack.js')], { env });
    const packed = (await readdir('dist/packages')).filter(name => name.endsWith('.tgz'));
    expect(packed).toHaveLength(3);
    await cp('test/packages/app', folder, { recursive: true });
    const { dependencies } = await read('package.json');
    const wanted = ['@nestjs/', 'typeorm', 'pg', 'rxjs', 'reflect-metadata', 'zod'];
    const theirs = Object.entries(dependencies).filter(
      ([name]) => wanted.some(each => name.startsWith(each)) && name !== '@nestjs/swagger',
    );
    const tarballs = packed.map(name => [
      name.replace(/^sluice-(.*)-\d.*$/, '@sluice/$1'),
      resolve('dist/packages', name),
    ]);
    await writeFile(
      join(folder, 'package.json'),
      JSON.stringify({
        name: 'app',
        private: true,
        type: 'module',
        dependencies: Object.fromEntries([
          ...theirs,
          ...tarballs.map(([name, path]) => [name, `file:${path}`]),
        ]) as object,
      }),
    );
    const compilerOptions = {
      target: 'es2023',
      module: 'nodenext',
      strict: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      skipLibCheck: false,
      types: ['node'],
      typeRoots: [resolve('node_modules/@types')],
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['main.ts'] }));
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'], {
      cwd: folder,
      env,
    });
    await run('node', [resolve('node_modules/typescript/bin/tsc'), '-p', folder], { env });
    const { stdout } = await run('node', [join(folder, 'main.js')], {
      cwd: folder,
      env: { ...env, DATABASE_URL: postgres.cluster.url('app'), QUEUE_URL: postgres.cluster.url('queue') },
    });
    expect(JSON.parse(stdout)).toMatchObject({
      points: [{ order_id: '00000000-0000-4000-8000-000000000002' }],
      state: { name: 'points.award-on-order-paid', lag: 0, handled: 1, parked: 0, dead: 0 },
      refused: { refused: 'already paid' },
      kafka: 'KafkaTransport',
    });
  });
});
