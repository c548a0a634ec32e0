import { readFileSync } from 'node:fs';

// The build's own compiler settings, with the tests let in.
const { exclude: _, ...swc } = JSON.parse(readFileSync('.swcrc', 'utf8'));

const shared = {
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { ...swc, swcrc: false, sourceMaps: 'inline' }],
  },
  moduleNameMapper: {
    '^#messaging/message$': '<rootDir>/libs/messaging/src/message/index.ts',
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
  // For what hangs; nothing of ours takes that long, and a busy machine must not fail a test.
  testTimeout: 180_000,
};
