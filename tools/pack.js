import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment, help, prepare, refuse, root, run } from './prepare.js';

/**
 * Packs the messaging library and its transports as npm packages, with types, into dist/packages. A library's
 * package.manifest.json says what its package.json cannot take from here; versions are those of the project.
 */
const LIBRARIES = ['messaging', 'transport-postgres', 'transport-kafka'];

help('npm run pack: packs the messaging library and its transports as npm packages into dist/packages');
await prepare();
const packages = join(root, 'dist', 'packages');
const built = join(packages, '.built');
rmSync(packages, { recursive: true, force: true });
if (run('tsc', ['-p', join(root, 'tsconfig.pack.json')]) !== 0) refuse('the packages do not compile');

const project = read('package.json');
for (const library of LIBRARIES) {
  const folder = join(packages, library);
  mkdirSync(folder, { recursive: true });
  cpSync(join(built, 'libs', library, 'src'), join(folder, 'dist'), { recursive: true });
  for (const file of [`libs/${library}/README.md`, 'LICENSE'])
    cpSync(join(root, file), join(folder, file.split('/').at(-1)));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifestOf(library), null, 2)}\n`);
  const packed = run('npm', ['pack', '--silent', '--pack-destination', packages], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (packed !== 0) refuse(`${library} cannot be packed`);
}
rmSync(built, { recursive: true });

function manifestOf(library) {
  const { dependencies, peerDependencies, ...manifest } = read(`libs/${library}/package.manifest.json`);
  return {
    ...manifest,
    version: project.version,
    license: project.license,
    type: 'module',
    engines: { node: '>=22' },
    files: ['dist'],
    dependencies: versionsOf(dependencies),
    peerDependencies: versionsOf(peerDependencies),
  };
}

function versionsOf(names) {
  return Object.fromEntries(names.map(name => [name, project.dependencies[name] ?? `^${project.version}`]));
}

function read(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}
