import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { table } from '../../tools/client/table.js';

/** Starts the shop on new data and again on the same data. Reports the time and the memory of each start. */
const dataDir = await mkdtemp(join(tmpdir(), 'sluice-start-'));

async function start(): Promise<{ seconds: number; mebibytes: number }> {
  const startedAt = performance.now();
  const launcher = spawn('node', [resolve('dist/apps/stack/src/main.js')], {
    env: { ...process.env, SLUICE_DATA_DIR: dataDir, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: launcher.stdout })) {
    if (line.startsWith('Sluice is ready at')) break;
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const mebibytes = await weigh();
  launcher.kill('SIGTERM');
  await once(launcher, 'exit');
  return { seconds, mebibytes };
}

/** The proportional set size of every process of this shop: memory that several share is counted once. */
async function weigh(): Promise<number> {
  let kibibytes = 0;
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
    if (!`${await read('cmdline')}${await read('environ')}`.includes(dataDir)) continue;
    kibibytes += Number(/^Pss:\s+(\d+)/m.exec(await read('smaps_rollup'))?.[1] ?? 0);
  }
  return kibibytes / 1_024;
}

try {
  const rows = [];
  for (const what of ['first start: new data, demo published', 'next start: data there']) {
    const { seconds, mebibytes } = await start();
    rows.push([what, `${seconds.toFixed(1)} s`, `${Math.round(mebibytes)} MiB resident`]);
  }
  process.stdout.write(
    `${table(rows)}\n\n${cpus().length} cores, ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.versions.node}\n`,
  );
} finally {
  await rm(dataDir, { recursive: true, force: true });
}
