import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundle } from './bundle.js';

// A reader that goes away, as `| head` does, ends nothing.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', error => {
    if (error.code !== 'EPIPE') throw error;
  });

/** The project's root, from wherever it is called. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const OLDEST_NODE = 20;
/** The apps in a few files, which start faster. */
const BUNDLE = join(root, 'dist', 'bundle');

/** How long the first compilation may take, in ms. */
const LONGEST_WARM_UP_MS = 30_000;
/** What a build depends on besides the sources: the bundle has the installed packages in it. */
const BUILT_BY = [
  '.swcrc',
  'package.json',
  'node_modules/.package-lock.json',
  'tools/prepare.js',
  'tools/bundle.js',
];
const SOURCES = ['apps', 'libs', 'tools', 'lab', 'bench'];

/** The environment of every command: the project's own Node first, compiled code kept beside the build. */
export const environment = {
  ...process.env,
  PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`,
  NODE_COMPILE_CACHE: join(root, 'dist', '.compile-cache'),
};

/** Installs and builds what is missing or has changed; a second call finds nothing to do. */
export async function prepare() {
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
    refuse(`Sluice needs Node ${OLDEST_NODE} or newer to install itself; this is ${process.versions.node}`);
  }
  process.chdir(root);
  install();
  await build();
}

/** How often to look whether npm is still there, in ms. */
const PARENT_MS = 500;

/** Npm, before it can have gone. */
const parent = process.ppid;

/** Prints how a command is used, and ends, if that is what it is asked. */
export function help(usage) {
  if (!process.argv.slice(2).some(word => word === '--help' || word === '-h')) return;
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}

/**
 * Ends with the child and passes signals on. npm forwards no SIGHUP and ends by it: that our parent is another one then
 * says so.
 */
export function liveWith(child) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', error => refuse(error.message));
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
  // Only below npm: a shell that started us by hand may go, as with nohup.
  if (process.env.npm_execpath)
    setInterval(() => {
      if (process.ppid !== parent) child.kill('SIGTERM');
    }, PARENT_MS).unref();
}

/** Reports in one line why it cannot go on, and exits. */
export function refuse(reason) {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}

/** Runs a command to its end, or to its `timeout`, with the project's environment; returns its exit code. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    env: environment,
    stdio: 'inherit',
    ...options,
  });
  if (error?.code === 'ETIMEDOUT') {
    process.stderr.write(
      `${command} did not end within ${options.timeout / 60_000} minutes and was killed\n`,
    );
    return 1;
  }
  if (error) refuse(`${command} cannot be run: ${error.message}`);
  return status ?? 1;
}

function install() {
  const marker = join(root, 'node_modules', '.sluice-installed');
  const wanted = fingerprint(['package.json', 'package-lock.json']);
  if (read(marker) === wanted) return;
  requireWritable('install what it needs');
  process.stdout.write('Installing what is needed from the npm registry, once…\n');
  // The registry client that runs us knows its own configuration; for a direct call, plain `npm` will do.
  const npm = process.env.npm_execpath;
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel', 'error'];
  const status = npm ? run(process.execPath, [npm, ...args]) : run('npm', args);
  if (status !== 0) refuse('the installation failed; the lines above say why');
  writeFileSync(marker, wanted);
}

async function build() {
  const marker = join(root, 'dist', '.built');
  const files = SOURCES.flatMap(folder => list(join(root, folder)));
  const wanted = fingerprint([...BUILT_BY.filter(path => existsSync(join(root, path))), ...files]);
  if (read(marker) === wanted && existsSync(BUNDLE) && !isNewer(marker)) return;
  requireWritable('build');
  process.stdout.write('Building…\n');
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const status = run('swc', [...SOURCES, '-d', 'dist', '--quiet']);
  if (status !== 0) refuse('the build failed; the lines above say why');
  mkdirSync(join(root, 'dist'), { recursive: true });
  await bundle(root);
  // Compiled once here, so that ten processes do not each have to do it at the first start.
  const warm = readdirSync(join(BUNDLE, 'apps'))
    .map(app => `await import('./dist/bundle/apps/${app}/src/${app}.module.js');`)
    .concat('process.exit(0);')
    .join('');
  const { NODE_FLAGS } = await import(pathToFileURL(join(root, 'dist/apps/stack/src/services.js')).href);
  for (const flags of Object.values(NODE_FLAGS)) {
    // One cache for each set of flags, as the launcher has it.
    const cache = join(environment.NODE_COMPILE_CACHE, flags.join('').replaceAll(/[^a-z0-9]+/g, '-'));
    // Nothing depends on it, so the wait is limited. Modules that share a process print warnings about each
    // other, which are not for people.
    spawnSync('node', [...flags, '--input-type=module', '-e', warm], {
      cwd: root,
      env: { ...environment, NODE_COMPILE_CACHE: cache },
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: LONGEST_WARM_UP_MS,
      killSignal: 'SIGKILL',
    });
  }
  writeFileSync(marker, wanted);
}

/** A checkout that is installed and built may be read-only; before, it may not. */
function requireWritable(purpose) {
  try {
    accessSync(root, constants.W_OK);
  } catch (error) {
    refuse(
      `Sluice has to ${purpose} in ${root}, which cannot be written (${error.code}); make it writable for the first run, ` +
        'or copy the checkout elsewhere',
    );
  }
}

/** Whether part of the build is newer than its marker: watch mode or `nest build` compiled other sources into it. */
function isNewer(marker) {
  const { mtimeMs } = statSync(marker);
  return SOURCES.flatMap(folder => list(join(root, 'dist', folder), '.js')).some(
    path => statSync(path).mtimeMs > mtimeMs,
  );
}

function fingerprint(paths) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const path of paths) hash.update(path).update(readFileSync(resolve(root, path)));
  return hash.digest('hex');
}

function list(folder, extension = '.ts') {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map(name => join(folder, name))
    .flatMap(path =>
      statSync(path).isDirectory() ? list(path, extension) : path.endsWith(extension) ? [path] : [],
    );
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
