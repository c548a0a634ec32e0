import { readFileSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { environment, prepare, root, run } from './prepare.js';

/**
 * Runs the tests and sums them up. Without a word: everything that Node alone can prove, the quick ones side by
 * side, then those that want the machine to themselves. `kafka`: what holds on Apache Kafka, the messaging library
 * and the shop on it. Other words: those kinds of the first only.
 */
const EVERYTHING = [
  { kinds: ['unit', 'integration'], workers: Math.max(2, cpus().length) },
  { kinds: ['end-to-end'], workers: 1 },
];
const ON_KAFKA = [
  { kinds: ['kafka'], workers: 1 },
  { kinds: ['integration'], workers: 1, paths: ['libs/messaging/'], env: { SLUICE_TEST_TRANSPORT: 'kafka' } },
  { kinds: ['end-to-end'], workers: 1, env: { SLUICE_TEST_TRANSPORT: 'kafka' } },
];

/** Longer than any stage takes on a slow machine: what hangs is ended and told, not waited for. */
const LONGEST_STAGE_MS = 20 * 60_000;

const words = process.argv.slice(2).filter(word => !word.startsWith('-'));
const onKafka = words[0] === 'kafka';
const wanted = onKafka ? words.slice(1) : words;
const passedOn = process.argv.slice(2).filter(word => word.startsWith('-'));
await prepare();
if (onKafka) await requireKafka();

const sum = { passed: 0, failed: 0, skipped: 0 };
let status = 0;
for (const { kinds, workers, paths = [], env: more } of onKafka ? ON_KAFKA : EVERYTHING) {
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
    ...paths.map(path => `--testPathPatterns=${path}`),
    ...passedOn,
  ];
  const env = {
    ...environment,
    ...more,
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
if (!onKafka && wanted.length === 0) {
  process.stdout.write(
    'Not proved here: the same on Apache Kafka; npm run test:kafka does, with Java and Maven.\n',
  );
}
process.stdout.write(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`);
process.exit(status);

/** Nothing can be proved on Kafka where there is none: that is said, and fails where nothing may be skipped. */
async function requireKafka() {
  const { KafkaJava } = await import(pathToFileURL(join(root, 'dist/libs/embedded-kafka/src/index.js')).href);
  const missing = await KafkaJava.missing();
  if (missing === undefined) return;
  process.stdout.write(`Nothing was proved on Kafka: ${missing}\n0 passed, 0 failed, 1 skipped\n`);
  process.exit(process.env.CI ? 1 : 0);
}
