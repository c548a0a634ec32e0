import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { table } from '#shop-kit';
import { processorTimeOf, usageOf } from './processor-time.js';

/**
 * Starts the shop on new data and again on the same data. Reports the time, the processor time and the memory of each
 * start, and what the shop uses while nobody calls it.
 */
const dataDir = await mkdtemp(join(tmpdir(), 'sluice-start-'));

/** How long the shop is left alone before it counts as idle, and how long that is measured, in ms. */
const SETTLING_MS = 30_000;
const IDLE_MS = 60_000;

async function start(whileUp: () => Promise<void> = () => Promise.resolve()): Promise<readonly string[]> {
  const startedAt = performance.now();
  const launcher = spawn('node', [resolve('dist/apps/stack/src/main.js')], {
    env: { ...process.env, SLUICE_DATA_DIR: dataDir, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: launcher.stdout })) {
    if (line.startsWith('Sluice is ready at')) break;
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const processor = (await processorTimeOf(dataDir)) / 1_000;
  const row = [
    `${seconds.toFixed(1)} s`,
    `${processor.toFixed(1)} s of processor`,
    `${Math.round(await weigh())} MiB resident`,
  ];
  await whileUp();
  launcher.kill('SIGTERM');
  await once(launcher, 'exit');
  return row;
}

/** The proportional set size of every process of this shop: memory that several share is counted once. */
async function weigh(): Promise<number> {
  let kibibytes = 0;
  for (const { pid } of await usageOf(dataDir)) {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
    kibibytes += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
  }
  return kibibytes / 1_024;
}

/** What share of one core the shop uses while nobody calls it. */
async function idle(): Promise<number> {
  await setTimeout(SETTLING_MS);
  const [from, before] = [performance.now(), await processorTimeOf(dataDir)];
  await setTimeout(IDLE_MS);
  const after = await processorTimeOf(dataDir);
  return (after - before) / (performance.now() - from);
}

try {
  const rows = [['first start: new data, demo published', ...(await start())]];
  let share = 0;
  rows.push(['next start: data there', ...(await start(async () => void (share = await idle())))]);
  process.stdout.write(
    `${table(rows)}\n\nidle: ${(share * 100).toFixed(1)}% of one core, over ${IDLE_MS / 1_000} s\n` +
      `${cpus().length} cores, ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.versions.node}\n`,
  );
} finally {
  await rm(dataDir, { recursive: true, force: true });
}
