import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { environment, prepare } from './tools/prepare.js';

// Jest runs ES modules only with this flag. Started by hand or by an editor, it is restarted with the flag,
// on the project's own Node and an up-to-date build, as `npm test` does.
const FLAG = '--experimental-vm-modules';
const isJest = /[\\/]jest(\.js)?$/.test(process.argv[1] ?? '');
if (isJest && !`${process.env.NODE_OPTIONS ?? ''} ${process.execArgv.join(' ')}`.includes(FLAG)) {
  const calledFrom = process.cwd();
  await prepare();
  const { status } = spawnSync('node', process.argv.slice(1), {
    cwd: calledFrom,
    env: { ...environment, NODE_OPTIONS: `${FLAG} --disable-warning=ExperimentalWarning` },
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}

// The build's own compiler settings, with the tests included.
const { exclude: _, ...swc } = JSON.parse(readFileSync(new URL('.swcrc', import.meta.url), 'utf8'));

const shared = {
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { ...swc, swcrc: false, sourceMaps: 'inline' }],
  },
  moduleNameMapper: {
    '^#([a-z-]+)/([a-z-]+)$': '<rootDir>/libs/$1/src/$2/index.ts',
    '^#([a-z-]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
};

/** The file name says what a test needs; see STYLE in CONTRIBUTING.md. */
export default {
  projects: [
    { ...shared, displayName: 'unit', testRegex: '(?<!\\.int)\\.spec\\.ts$' },
    {
      ...shared,
      displayName: 'integration',
      testRegex: '\\.int\\.spec\\.ts$',
      globalSetup: '<rootDir>/test/shared-server.js',
      globalTeardown: '<rootDir>/test/stop-shared-server.js',
    },
    { ...shared, displayName: 'kafka', testRegex: '\\.kafka-spec\\.ts$' },
    { ...shared, displayName: 'end-to-end', testRegex: '\\.e2e-spec\\.ts$' },
  ],
  // Only for tests that hang: none of ours takes that long, and a busy machine must not fail a test.
  testTimeout: 180_000,
};
