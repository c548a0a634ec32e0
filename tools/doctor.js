import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { root } from './prepare.js';

/** Tells what this machine lacks, and for what it matters. Needs nothing installed. */
const dataDir = resolve(root, process.env.SLUICE_DATA_DIR ?? '.sluice');
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
    'packages',
    existsSync(join(root, 'node_modules')),
    join(root, 'node_modules'),
    'nothing yet: npm start installs them',
  ],
  [
    'memory',
    totalmem() > 2 * 1024 ** 3,
    `${Math.round(totalmem() / 1024 ** 3)} GiB`,
    'npm start: the stack wants 1.5 GiB',
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
  ['port', await isFree(port), `127.0.0.1:${port}`, 'npm start: set PORT to one that is free'],
  [
    'setpriv',
    process.getuid?.() !== 0 || answers('setpriv', ['--version']),
    'util-linux',
    'npm start as root below a closed directory',
  ],
];

for (const [name, ok, found, matters] of checks) {
  process.stdout.write(
    `${ok ? '✓' : '✗'} ${name.padEnd(16)} ${found}${ok ? '' : `   matters for ${matters}`}\n`,
  );
}

process.exitCode = checks.every(([, ok]) => ok) ? 0 : 1;

function answers(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function freeOf(path) {
  const at = existsSync(path) ? path : dirname(path);
  if (!existsSync(at)) return 0;
  const { bavail, bsize } = statfsSync(at);
  return bavail * bsize;
}

function isWritable(path) {
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function isFree(number) {
  return new Promise(done => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(number, '127.0.0.1', () => server.close(() => done(true)));
  });
}
