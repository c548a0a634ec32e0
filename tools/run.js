import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { environment, liveWith, prepare, refuse, root } from './prepare.js';

/** What `npm start` and the other commands run, once everything is installed and built. */
const COMMANDS = {
  start: 'apps/stack/src/main.js',
  import: 'tools/import/main.js',
  replay: 'tools/replay/main.js',
  messaging: 'tools/messaging/main.js',
  lab: 'lab/main.js',
  bench: 'bench/main.js',
  kafka: 'tools/kafka/main.js',
  settings: 'tools/settings/main.js',
};

const [name = '', ...args] = process.argv.slice(2);
if (!(name in COMMANDS)) refuse(`run.js: ${name} is not one of ${Object.keys(COMMANDS).join(', ')}`);

// Relative paths on the command line start from the caller's directory.
const calledFrom = process.env.INIT_CWD ?? process.cwd();
const dataDir = process.env.SLUICE_DATA_DIR
  ? resolve(calledFrom, process.env.SLUICE_DATA_DIR)
  : join(root, '.sluice');
await prepare();
const child = spawn('node', [join(root, 'dist', COMMANDS[name]), ...args], {
  cwd: name === 'start' ? root : calledFrom,
  env: { ...environment, SLUICE_DATA_DIR: dataDir },
  // With an IPC channel, so that the child ends in order when we are killed.
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
});
liveWith(child);
