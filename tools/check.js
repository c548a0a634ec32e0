import { help, prepare, run } from './prepare.js';

const SOURCES = ['apps', 'libs', 'tools', 'lab', 'bench', 'test'];

/** The checks: each of them must find nothing. */
const CHECKS = [
  ['types', 'tsc', ['-p', '.', '--noEmit']],
  ['lint', 'eslint', ['.', '--max-warnings', '0']],
  ['format', 'prettier', ['--check', '--log-level', 'warn', '.']],
  ['architecture', 'depcruise', [...SOURCES, '--config', '.dependency-cruiser.cjs', '--output-type', 'err']],
  [
    'folders',
    'depcruise',
    [...SOURCES, '--config', '.dependency-cruiser.folders.cjs', '--output-type', 'err'],
  ],
  ['landed migrations', 'node', ['tools/check-migrations.js']],
  ['code in documents', 'node', ['tools/code-in-docs.js']],
  ['unused code', 'knip', []],
];

help(
  'npm run check: types, lint, format, architecture, landed migrations, code in documents and unused code; each must find nothing',
);
await prepare();
const failed = CHECKS.filter(([name, command, args]) => {
  const ok = run(command, args) === 0;
  process.stdout.write(`${ok ? '✓' : '✗'} ${name}\n`);
  return !ok;
});
process.exit(failed.length === 0 ? 0 : 1);
