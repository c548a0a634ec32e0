const BENCHES: Readonly<Record<string, () => Promise<unknown>>> = {
  parking: () => import('./parking/main.js'),
  seckill: () => import('./seckill/main.js'),
  start: () => import('./start/main.js'),
  transport: () => import('./transport/main.js'),
};

const bench = BENCHES[process.argv[2] ?? ''];
if (bench === undefined) {
  process.stderr.write(
    `bench: name one of ${Object.keys(BENCHES).join(', ')}, as in npm run bench -- seckill\n`,
  );
  process.exit(1);
}
await bench();
