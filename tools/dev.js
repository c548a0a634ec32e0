import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { environment, help, liveWith, prepare, root } from './prepare.js';

/**
 * The whole shop in watch mode: a saved file is compiled, and the apps that it belongs to are restarted.
 * Types are not checked here; the editor and `npm run check` do that. The arguments are those of `npm start`.
 */

/** Saves within this time, in ms, count as one change: editors write a file in several steps. */
const GATHER_MS = 80;

help('npm run dev [-- the options of npm start]: the shop in watch mode; a saved file restarts its apps');
const calledFrom = process.env.INIT_CWD ?? process.cwd();
const dataDir = process.env.SLUICE_DATA_DIR
  ? resolve(calledFrom, process.env.SLUICE_DATA_DIR)
  : join(root, '.sluice');
await prepare();
const { transformFile } = await import('@swc/core');

const launcher = spawn('node', [join(root, 'dist/apps/stack/src/main.js'), ...process.argv.slice(2)], {
  cwd: root,
  // What is compiled from now on is not in the bundle.
  env: { ...environment, SLUICE_DATA_DIR: dataDir, SLUICE_UNBUNDLED: '1' },
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
});
liveWith(launcher);

const changed = new Set();
let gathering;
for (const folder of ['apps', 'libs']) {
  watch(join(root, folder), { recursive: true }, (_, name) => {
    if (name === null || !/\.ts$/.test(name) || /spec\.ts$/.test(name)) return;
    changed.add(join(folder, name));
    gathering ??= setTimeout(() => {
      gathering = undefined;
      const files = [...changed];
      changed.clear();
      void apply(files);
    }, GATHER_MS);
  });
}

/** Compiles the files and restarts their apps. A file that does not compile changes nothing. */
async function apply(files) {
  const compiled = [];
  for (const file of files) {
    try {
      await compile(file);
      compiled.push(file);
    } catch (error) {
      // A file that is gone was moved or deleted: what imported it does not compile until it is changed too.
      if (error.code !== 'ENOENT') process.stdout.write(`${file} does not compile: ${error.message}\n`);
    }
  }
  if (compiled.length === 0) return;
  const apps = new Set(compiled.map(file => (file.startsWith(`apps${sep}`) ? file.split(sep)[1] : 'all')));
  if (apps.delete('stack'))
    process.stdout.write('apps/stack is the launcher itself: start npm run dev again for this change\n');
  if (apps.size === 0) return;
  launcher.send({ kind: 'restart', apps: apps.has('all') ? 'all' : [...apps] });
}

async function compile(file) {
  const target = join(root, 'dist', file.replace(/\.ts$/, '.js'));
  const { code, map } = await transformFile(join(root, file), {
    swcrc: true,
    sourceMaps: true,
    sourceFileName: relative(dirname(target), join(root, file)),
    outputPath: target,
  });
  await mkdir(dirname(target), { recursive: true });
  const name = target.split(sep).at(-1);
  await writeFile(target, `${code}\n//# sourceMappingURL=${name}.map\n`);
  await writeFile(`${target}.map`, map ?? '');
}
