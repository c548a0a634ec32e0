import { readFileSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { environment, prepare, root, run } from './prepare.js';

/**
 * Runs the tests and sums them up. Without a word: everything that this machine can prove, the quick ones side
 * by side, then those that want the machine to themselves. With words: those kinds only.
 */
const STAGES = [
  { kinds: ['unit', 'integration'], workers: Math.max(2, cpus().length) },
  { kinds: ['end-to-end'], workers: 1 },
];

/** Longer than any stage takes on a slow machine: what hangs is ended and told, not waited for. */
const LONGEST_STAGE_MS = 20 * 60_000;

const wanted = process.argv.slice(2).filter(word => !word.startsWith('-'));
const passedOn = process.argv.slice(2).filter(word => word.startsWith('-'));
await prepare();

const sum = { passed: 0, failed: 0, skipped: 0 };
let status = 0;
for (const { kinds, workers } of STAGES) {
  const chosen = kinds.filter(kind => wanted.length === 0 || wanted.includes(kind));
  if (chosen.length === 0) continue;
  const report = join(root, 'dist', 'test-report.json');
  rmSync(report, { force: true });
  const jest = [join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--selectProjects', ...chosen];
  const options = [
    `--maxWorkers=${workers}`,
    '--json',
    `--outputFile=${report}`,
    '--testLocationInResults=false',
    // What a failed test left open must not keep the run from its end.
    '--forceExit',
    ...passedOn,
  ];
  const env = {
    ...environment,
    NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
  };
  // The report goes to the file; what jest would print of it is dropped.
  const code = run('node', [...jest, ...options], {
    env,
    stdio: ['inherit', 'ignore', 'inherit'],
    timeout: LONGEST_STAGE_MS,
    killSignal: 'SIGKILL',
  });
  status ||= code;
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    sum.passed += result.numPassedTests;
    sum.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
    sum.skipped += result.numPendingTests + result.numTodoTests;
  } catch {
    sum.failed += 1;
    status ||= 1;
  }
}
process.stdout.write(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`);
process.exit(status);
