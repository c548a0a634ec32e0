/** The design's arrows. Each rule fails when an import goes against it. */
const APP = '^apps/([^/]+)/';
const MESSAGING = '^libs/messaging/src/';

/** The floors of the messaging library, the ground first. A floor imports only from those below it. */
const FLOORS = [
  'message',
  'runtime',
  'parking',
  'transport',
  'publisher',
  'flow',
  'consumer',
  'operations',
  'migration',
  'nest',
];

const floors = FLOORS.map((floor, height) => ({
  name: `messaging-floor-${height}-${floor}`,
  comment: `libs/messaging/src/${floor} may import ${FLOORS.slice(0, height).join(', ') || 'no other floor'}`,
  severity: 'error',
  from: { path: `${MESSAGING}${floor}/`, pathNot: '\\.spec\\.ts$' },
  to: { path: MESSAGING, pathNot: `${MESSAGING}(${FLOORS.slice(0, height + 1).join('|')})/` },
}));

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...floors,
    {
      name: 'messaging-has-no-other-floor',
      severity: 'error',
      from: {},
      to: { path: MESSAGING, pathNot: [`${MESSAGING}(${FLOORS.join('|')})/`, `${MESSAGING}index\\.ts$`] },
    },
    {
      name: 'migrations-import-nothing-of-ours',
      comment: 'A migration is history: what it imports could change after it has run.',
      severity: 'error',
      from: { path: '/migrations?/\\d[^/]*\\.ts$' },
      to: { path: '^(apps|libs)/' },
    },
    {
      name: 'apps-never-import-apps',
      severity: 'error',
      from: { path: APP, pathNot: '^apps/stack/src/service-settings\\.ts$' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'the-launcher-reads-settings-alone',
      comment: 'It checks every setting before it starts anything, and imports nothing else of an app.',
      severity: 'error',
      from: { path: '^apps/stack/src/service-settings\\.ts$' },
      to: { path: '^apps/', pathNot: ['^apps/stack/', '\\.config\\.ts$'] },
    },
    { name: 'libs-never-import-apps', severity: 'error', from: { path: '^libs/' }, to: { path: '^apps/' } },
    {
      name: 'contracts-import-only-messaging-message',
      severity: 'error',
      from: { path: '^libs/contracts/' },
      to: { path: '^libs/', pathNot: '^libs/(contracts|messaging/src/message)/' },
    },
    {
      name: 'messaging-stands-alone',
      severity: 'error',
      from: { path: '^libs/messaging/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^libs/', pathNot: '^libs/messaging/' },
    },
    {
      name: 'only-main-imports-a-transport',
      severity: 'error',
      from: {
        path: '^(apps|libs)/',
        pathNot: [
          '^apps/[^/]+/src/main\\.ts$',
          '^apps/stack/src/(queue|service-settings)\\.ts$',
          '^libs/(transport-|testkit/)',
          '\\.(kafka-)?spec\\.ts$',
        ],
      },
      to: { path: '^libs/transport-' },
    },
    {
      name: 'requests-import-only-messaging',
      severity: 'error',
      from: { path: '^libs/requests/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^libs/', pathNot: '^libs/(requests|messaging)/' },
    },
    {
      name: 'transports-import-only-messaging',
      severity: 'error',
      from: { path: '^libs/transport-', pathNot: '\\.(kafka-)?spec\\.ts$' },
      to: { path: '^libs/', pathNot: '^libs/(transport-|messaging/)' },
    },
    {
      name: 'testkit-is-for-tests',
      severity: 'error',
      from: { pathNot: ['^libs/testkit/', '\\.spec\\.ts$', '-spec\\.ts$', '^test/'] },
      to: { path: '^libs/testkit/' },
    },
    {
      name: 'shop-kit-stands-alone',
      comment: 'It starts the launcher as a process and speaks HTTP: it may be used from any project.',
      severity: 'error',
      from: { path: '^libs/shop-kit/', pathNot: '-?spec\\.ts$' },
      to: { path: '^(apps|libs|lab|tools|test)/', pathNot: '^libs/shop-kit/' },
    },
    {
      name: 'no-app-uses-the-shop-kit',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: ['^libs/shop-kit/', '-?spec\\.ts$'] },
      to: { path: '^libs/shop-kit/' },
    },
    {
      name: 'a-library-is-entered-by-its-index',
      severity: 'error',
      from: { path: '^(apps|tools|lab|bench|test)/' },
      to: { path: '^libs/', pathNot: '^libs/[^/]+/src/((message|config)/)?index\\.ts$' },
    },
    {
      name: 'no-index-from-inside',
      severity: 'error',
      from: { path: '^libs/([^/]+)/' },
      to: { path: '^libs/$1/src/index\\.ts$' },
    },
    {
      name: 'kafkajs-in-one-file',
      severity: 'error',
      from: { pathNot: ['^libs/transport-kafka/src/kafkajs\\.ts$', '^bench/transport/'] },
      to: { path: 'kafkajs', pathNot: '^libs/' },
    },
    { name: 'nothing-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|node_modules|test/packages/app|test/e2e/another-project)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { conditionNames: ['source', 'import', 'require', 'node', 'default'] },
  },
};
