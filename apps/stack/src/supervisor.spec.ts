import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkSettings, givenSettings } from './service-settings.js';
import { StartRefused } from './start-refused.js';
import { Supervised } from './supervisor.js';

describe('a process of the shop', () => {
  let dataDir: string;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'sluice-supervisor-'));
    await mkdir(join(dataDir, 'logs'));
  });

  afterEach(() => rm(dataDir, { recursive: true }));

  const run = (program: string, env: Record<string, string> = {}) => {
    const said: string[] = [];
    const supervised = new Supervised(
      { app: 'test', instance: 'test-1', env, flags: [], priority: 0, sharesPort: false },
      dataDir,
      line => said.push(line),
      program,
    );
    return { supervised, said };
  };

  it('that ends again and again while it starts ends the start, with its last words', async () => {
    const program = join(dataDir, 'dies.mjs');
    await writeFile(program, "console.error('the cause of it all'); process.exit(3);");
    const { supervised, said } = run(program);
    const error: unknown = await supervised.start().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(StartRefused);
    expect((error as Error).message).toContain('test-1 ended 3 times while starting (code 3)');
    expect((error as Error).message).toContain('the cause of it all');
    expect(said).toHaveLength(2);
  });

  it('gets what it needs of our environment and nothing else; its log is for its account alone', async () => {
    process.env['SLUICE_OPERATOR_PASSWORD'] = 'not its business';
    await writeFile(join(dataDir, 'logs', 'test-1.log'), 'before\n', { mode: 0o644 });
    const program = join(dataDir, 'tells.mjs');
    await writeFile(
      program,
      `import { writeFileSync } from 'node:fs';
       writeFileSync(${JSON.stringify(join(dataDir, 'env'))}, JSON.stringify(process.env));
       process.send({ kind: 'ready' }); setInterval(() => {}, 1000);`,
    );
    const { supervised } = run(program, { OWN: 'setting' });
    await supervised.start();
    await supervised.stop();
    delete process.env['SLUICE_OPERATOR_PASSWORD'];
    const env = JSON.parse(await readFile(join(dataDir, 'env'), 'utf8')) as Record<string, string>;
    expect(env).toMatchObject({ OWN: 'setting', PATH: expect.any(String) });
    expect(Object.keys(env).filter(name => name.startsWith('SLUICE_'))).toEqual([]);
    expect((await stat(join(dataDir, 'logs', 'test-1.log'))).mode & 0o777).toBe(0o600);
  });
});

describe('the settings of the apps', () => {
  const env = {
    DATABASE_URL: 'postgresql://127.0.0.1/x',
    SLUICE_TRANSPORT_URL: 'postgresql://127.0.0.1/log',
  };

  it('are all checked before anything starts, each bad one named once', () => {
    expect(() => checkSettings([{ app: 'seckill', env }])).not.toThrow();
    const bad = { ...env, SECKILL_QUEUE: 'abc', SLUICE_KAFKA_PARTITIONS: 'abc' };
    expect(() =>
      checkSettings([
        { app: 'seckill', env: bad },
        { app: 'points', env: bad },
      ]),
    ).toThrow(/^SECKILL_QUEUE: [^;]+; SLUICE_KAFKA_PARTITIONS: [^;]+$/);
  });

  it('that an app knows are handed on to it, and no others', () => {
    const given = {
      SECKILL_QUEUE: '5',
      GATEWAY_CLICKS: '7',
      SLUICE_OPERATOR_PASSWORD: 'x',
      LOG_LEVEL: 'warn',
    };
    expect(givenSettings('seckill', given)).toEqual({ SECKILL_QUEUE: '5', LOG_LEVEL: 'warn' });
    expect(givenSettings('gateway', given)).toEqual({ GATEWAY_CLICKS: '7', LOG_LEVEL: 'warn' });
  });
});
