import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { help, root } from './prepare.js';

/** Reports what this machine lacks, and what needs it. Requires nothing to be installed. */
help('npm run doctor: what this machine lacks, and what needs it');
const { SLUICE_DATA_DIR, INIT_CWD } = process.env;
const dataDir = SLUICE_DATA_DIR ? resolve(INIT_CWD ?? process.cwd(), SLUICE_DATA_DIR) : join(root, '.sluice');
const port = Number(process.env.PORT ?? 3000);

const checks = [
  [
    'Node',
    Number(process.versions.node.split('.')[0]) >= 20,
    process.versions.node,
    'everything: 20 or newer installs the rest',
  ],
  [
    'platform',
    ['linux', 'darwin'].includes(process.platform),
    `${process.platform}-${process.arch}`,
    'the embedded PostgreSQL',
  ],
  [
    'memory',
    totalmem() > 2 * 1024 ** 3,
    `${Math.round(totalmem() / 1024 ** 3)} GiB`,
    'npm start: the stack needs 1.5 GiB',
  ],
  [
    'disk',
    freeOf(dataDir) > 2 * 1024 ** 3,
    `${Math.round(freeOf(dataDir) / 1024 ** 3)} GiB free`,
    'npm start: the data directory',
  ],
  [
    'data directory',
    isWritable(dataDir),
    dataDir,
    'npm start: set SLUICE_DATA_DIR to one that can be written',
  ],
  [
    'port',
    await isFree(port),
    `127.0.0.1:${process.env.PORT ?? port}`,
    'npm start: set PORT to one that is free',
  ],
];

/** What only some commands need. */
const extras = [
  ['Java', javaVersion() >= 17, `${javaVersion() || 'none'}`, 'Apache Kafka on this machine: 17 or newer'],
  ['Maven', answers('mvn', ['-version']), 'mvn', 'Apache Kafka on this machine: it fetches the jars, once'],
];

for (const check of [...checks, ...extras]) {
  const [name, ok, found, matters] = check;
  const mark = ok ? '✓' : extras.includes(check) ? '–' : '✗';
  process.stdout.write(`${mark} ${name.padEnd(16)} ${found}${ok ? '' : `   needed for ${matters}`}\n`);
}

process.exitCode = checks.every(([, ok]) => ok) ? 0 : 1;

function answers(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function javaVersion() {
  const { stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  return Number(/version "(\d+)/.exec(stderr ?? '')?.[1] ?? 0);
}

function freeOf(path) {
  const { bavail, bsize } = statfsSync(nearest(path));
  return bavail * bsize;
}

/** Whether it can be written or created; nothing is created here. */
function isWritable(path) {
  try {
    accessSync(nearest(path), constants.W_OK);
    return !nearest(path).startsWith('/proc');
  } catch {
    return false;
  }
}

/** The path itself, or the closest folder above it that exists. */
function nearest(path) {
  return existsSync(path) ? path : nearest(dirname(path));
}

function isFree(number) {
  if (!Number.isInteger(number) || number < 0 || number > 65_535) return false;
  return new Promise(done => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(number, '127.0.0.1', () => server.close(() => done(true)));
  });
}
