import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Modules that must stay on their own: one is patched in its parts, the other must come before all that use it. */
const KEPT_APART = ['kafkajs', 'reflect-metadata'];

/**
 * Bundles the compiled apps into a few files that they share. An app has about 1,600 modules, and finding and opening
 * each of them takes longer than running it. Only the launcher uses the bundle, and it does without where there is none.
 */
export async function bundle(root) {
  const { build } = await import('esbuild');
  const apps = readdirSync(join(root, 'dist', 'apps')).filter(app => app !== 'stack');
  await build({
    entryPoints: apps
      .flatMap(app =>
        ['main', `${app}.module`].map(file => join(root, 'dist', 'apps', app, 'src', `${file}.js`)),
      )
      .filter(file => existsSync(file)),
    outbase: join(root, 'dist'),
    outdir: join(root, 'dist', 'bundle'),
    chunkNames: 'chunks/[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    external: KEPT_APART,
    plugins: [{ name: 'optional', setup: leaveOutMissing }],
    // Names stay: Nest and the logs use them.
    minifyWhitespace: true,
    minifySyntax: true,
    keepNames: true,
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'error',
    banner: {
      js:
        "import { createRequire as createRequireOfBundle } from 'node:module'; " +
        'const require = createRequireOfBundle(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;',
    },
  });
}

/** Packages that others ask for only if they are there, such as other databases and other queues. */
function leaveOutMissing({ onResolve, resolve }) {
  onResolve({ filter: /^[^./#]/ }, async ({ path, pluginData, ...from }) => {
    if (pluginData === 'asked' || from.kind === 'entry-point') return undefined;
    const found = await resolve(path, { ...from, pluginData: 'asked' });
    return found.errors.length > 0 ? { path, external: true } : found;
  });
}
