import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { environment, help, prepare, refuse, root, run } from './prepare.js';

/**
 * What loads the whole machine, builds, or clears what other shops are started from. With the checkout's own path, which
 * may have such names, and characters that mean something in a pattern.
 */
const TESTS = join(root, 'test/').replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
const ALONE = `${TESTS}(chaos/chaos|nest/|packages/|e2e/(shop-kit|launcher)\\.)`;
const END_TO_END = [
  { kinds: ['end-to-end'], workers: 2, ignored: ALONE },
  { kinds: ['end-to-end'], workers: 1, ignored: `^(?!${ALONE})` },
];

/**
 * Runs the tests and sums them up. Without arguments: everything that Node alone can prove, first the quick
 * tests in parallel, then those that need the machine to themselves. `kafka`: the messaging library and the
 * shop on Apache Kafka. `chaos`: the shop under faults, as many and as long as requested. `mutants`: every way to
 * break a handler, where the first set has one of each handler. Other words: only those kinds of the first set.
 */
const EVERYTHING = [{ kinds: ['unit', 'integration'], workers: Math.max(2, cpus().length) }, ...END_TO_END];
const ON_KAFKA = [
  { kinds: ['kafka'], workers: 1 },
  { kinds: ['integration'], workers: 1, paths: ['libs/messaging/'], env: { SLUICE_TEST_TRANSPORT: 'kafka' } },
  ...END_TO_END.map(stage => ({
    ...stage,
    env: { SLUICE_TEST_TRANSPORT: 'kafka', SLUICE_TRANSPORT: 'kafka' },
  })),
];
const ALL_MUTANTS = [
  { kinds: ['integration'], workers: 1, paths: ['test/mutants/'], env: { MUTANTS: 'all' } },
];

/** Longer than any stage takes on a slow machine: a stage that hangs is killed and reported. */
const LONGEST_STAGE_MS = 20 * 60_000;
const LONGEST_CHAOS_MS = 90 * 60_000;

help(
  "npm test [-- unit|integration|end-to-end] [part of a test file's path] [options of Jest]\n" +
    'npm run test:mutants, npm run test:kafka, npm run test:chaos -- [--faults N] [--orders N] [--seed N] [--transport kafka]',
);
const mode = ['kafka', 'chaos', 'mutants'].find(word => word === process.argv[2]);
const chaos = mode === 'chaos' ? readChaos(process.argv.slice(3)) : undefined;
const onKafka = mode === 'kafka' || chaos?.transport === 'kafka';
const given = chaos ? [] : process.argv.slice(mode === undefined ? 2 : 3);
const stages = chaos ? [stageOf(chaos)] : onKafka ? ON_KAFKA : mode === 'mutants' ? ALL_MUTANTS : EVERYTHING;
const kinds = stages.flatMap(stage => stage.kinds);
// A word that is not a kind is part of a path.
const wanted = given.filter(word => kinds.includes(word));
const parts = given.filter(word => !word.startsWith('-') && !kinds.includes(word));
const passedOn = given.filter(word => word.startsWith('-'));
await prepare();
if (onKafka) await requireKafka();

const sum = { passed: 0, failed: 0, skipped: 0 };
let status = 0;
const reports = mkdtempSync(join(tmpdir(), 'sluice-report-'));
for (const { kinds, workers, paths = [], ignored, env: more } of stages) {
  const chosen = kinds.filter(kind => wanted.length === 0 || wanted.includes(kind));
  if (chosen.length === 0) continue;
  const report = join(reports, `${kinds.join('-')}.json`);
  const jest = [join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--selectProjects', ...chosen];
  const options = [
    `--maxWorkers=${workers}`,
    '--json',
    `--outputFile=${report}`,
    '--testLocationInResults=false',
    // What a failed test left open must not keep the run from ending.
    '--forceExit',
    ...paths.map(path => `--testPathPatterns=${path}`),
    ...(ignored === undefined ? [] : [`--testPathIgnorePatterns=${ignored}`]),
    ...parts.map(part => `--testPathPatterns=${part}`),
    ...(parts.length + passedOn.length > 0 ? ['--passWithNoTests'] : []),
    ...passedOn,
  ];
  const env = {
    ...environment,
    ...more,
    NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
  };
  // The report goes to the file; what jest would print is dropped.
  const code = run('node', [...jest, ...options], {
    env,
    stdio: ['inherit', 'ignore', 'inherit'],
    timeout: chaos ? LONGEST_CHAOS_MS : LONGEST_STAGE_MS,
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
rmSync(reports, { recursive: true, force: true });
if (sum.passed + sum.failed === 0 && status === 0) {
  process.stderr.write(
    `no test matches ${given.join(' ')}; name kinds (${[...new Set(kinds)].join(', ')}) or part of a test file's path\n`,
  );
  status = 1;
}
if (mode === undefined && given.length === 0) {
  process.stdout.write(
    'Not proved here: the same on Apache Kafka; run npm run test:kafka, which needs Java and Maven.\n',
  );
}
process.stdout.write(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`);
process.exit(status);

/** `--faults 200 --orders 20000 --seed 7 --transport kafka`, each of them optional. */
function readChaos(args) {
  const number = { type: 'string' };
  try {
    const { values } = parseArgs({
      args,
      options: { faults: number, orders: number, seed: number, transport: { type: 'string' } },
    });
    for (const name of ['faults', 'orders', 'seed'])
      if (values[name] !== undefined && !/^[1-9]\d{0,8}$/.test(values[name]))
        throw new Error(`--${name} ${values[name]} is not a number above 0`);
    if (!['postgres', 'kafka', undefined].includes(values.transport))
      throw new Error(`--transport ${values.transport} is unknown; use postgres or kafka`);
    return values;
  } catch (error) {
    return refuse(`test:chaos: ${error.message}; known are --faults, --orders, --seed and --transport`);
  }
}

function stageOf({ faults, orders, seed, transport }) {
  const env = {
    ...(faults && { CHAOS_FAULTS: faults }),
    ...(orders && { CHAOS_ORDERS: orders }),
    ...(seed && { CHAOS_SEED: seed }),
    ...(transport === 'kafka' && { SLUICE_TEST_TRANSPORT: 'kafka', SLUICE_TRANSPORT: 'kafka' }),
  };
  return { kinds: ['end-to-end'], workers: 1, paths: ['test/chaos/chaos\\.'], env };
}

/** Without Kafka, nothing can be proved on it: reports that, and fails in CI, which may skip nothing. */
async function requireKafka() {
  const { KafkaJava } = await import(pathToFileURL(join(root, 'dist/libs/embedded-kafka/src/index.js')).href);
  const missing = await KafkaJava.missing();
  if (missing === undefined) return;
  process.stdout.write(`Nothing was proved on Kafka: ${missing}\n0 passed, 0 failed, 1 skipped\n`);
  process.exit(process.env.CI ? 1 : 0);
}
