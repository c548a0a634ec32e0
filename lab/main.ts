import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startShop, table } from '#shop-kit';
import { EXPERIMENTS } from './experiments.js';
import type { Experiment } from './frame/experiment.js';
import { reportOf } from './frame/report.js';
import { runExperiment } from './frame/run-experiment.js';
import type { Watcher } from './frame/stage.js';
import { summaryOf } from './frame/summary.js';

const USAGE = 'npm run lab -- NAME [--full], or npm run lab for the list';

/** How somebody ends us before we are done. */
const ENDS = ['SIGINT', 'SIGTERM', 'disconnect'];

const say = (line: string) => process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      full: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help || positionals.length === 0) return list();
  if (positionals.length > 1) throw new Error(`name one experiment: ${USAGE}`);
  const experiment = EXPERIMENTS.find(({ name }) => name === positionals[0]);
  if (experiment === undefined) throw new Error(`no experiment is called ${positionals[0]}; ${USAGE}`);
  const expected = await run(experiment, values.full ? 'full' : 'small');
  if (!expected) process.exitCode = 1;
}

function list(): void {
  say(`${USAGE}\n`);
  say(table(EXPERIMENTS.map(({ name, question }) => [name, question])));
}

/** @returns whether the outcome is as expected */
async function run(experiment: Experiment, size: 'small' | 'full'): Promise<boolean> {
  say('starting a shop of its own …');
  const shop = await startShop(experiment.shop);
  const stop = () => void shop.stop().then(() => process.exit(130));
  for (const end of ENDS) process.once(end, stop);
  try {
    const outcome = await runExperiment(experiment, size, shop, watcher());
    say(`\n${summaryOf(outcome)}`);
    const folder = resolve(process.env['SLUICE_DATA_DIR'] ?? '.sluice', 'lab');
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${experiment.name}-${outcome.at.toISOString().replaceAll(/[:.]/g, '-')}.html`);
    await writeFile(path, reportOf(outcome));
    say(`\nReport with plots: ${path}`);
    return outcome.asExpected;
  } finally {
    // Listening for the end of the channel to our parent would keep us running.
    for (const end of ENDS) process.off(end, stop);
    await shop.stop();
  }
}

/** On a terminal, the progress is a line that changes. */
function watcher(): Watcher {
  const { isTTY } = process.stdout;
  const clear = isTTY ? '\r\u001B[K' : '';
  return {
    say: line => say(`${clear}${line}`),
    progress: (done, total) => {
      if (isTTY) process.stdout.write(`${clear}  ${done} of ${total}`);
    },
  };
}

main().catch((error: unknown) => {
  process.stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
