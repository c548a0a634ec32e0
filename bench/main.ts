const BENCHES: Readonly<Record<string, () => Promise<unknown>>> = {
  flow: () => import('./flow/main.js'),
  parking: () => import('./parking/main.js'),
  publication: () => import('./flow/publication.js'),
  seckill: () => import('./seckill/main.js'),
  start: () => import('./start/main.js'),
  transport: () => import('./transport/main.js'),
};

const USAGE = `npm run bench -- ${Object.keys(BENCHES).join('|')}: measures it on this machine and prints the figures`;

const name = process.argv[2] ?? '';
if (name === '--help' || name === '-h') {
  process.stdout.write(`${USAGE}\n`);
  process.exit(0);
}
const bench = BENCHES[name];
if (bench === undefined) {
  process.stderr.write(`bench: ${name === '' ? 'nothing is named' : `${name} is unknown`}; ${USAGE}\n`);
  process.exit(1);
}
await bench();
