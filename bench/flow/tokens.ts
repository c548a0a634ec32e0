import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { PostgresCluster } from '#embedded-postgres';
import { Admission, messagingMigrations, TokenBuckets, TooManyRequests } from '#messaging';
import { table } from '#shop-kit';

/**
 * Tokens a second in one process: from blocks, with the buckets in a database on this machine, and the naive way, one
 * conditional UPDATE for each token. Then several gateways want more than the rate: how much of it do they get?
 */
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 5);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const GATEWAYS = 3;
const RATES = [100, 1_000, 10_000];
/** Tokens taken before other work gets its turn. */
const AT_ONCE = 1_000;
/** Statements under way at once in the naive way. */
const AT_A_TIME = 8;

const say = (line: string) => process.stdout.write(`${line}\n`);
const perSecond = (count: number, startedAt: number) => (count * 1_000) / (performance.now() - startedAt);
const median = (figures: readonly number[]) =>
  [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)]!;

const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
const postgres = await PostgresCluster.start({ dataDir: join(folder, 'postgres'), password: 'bench' });
await postgres.ensureDatabases(['service']);
const database = new DataSource({
  type: 'postgres',
  url: postgres.url('service'),
  poolSize: AT_A_TIME,
  migrations: messagingMigrations,
  migrationsTableName: 'migration',
});
await database.initialize();
await database.runMigrations();
await database.query('CREATE TABLE naive (tokens bigint NOT NULL); INSERT INTO naive VALUES (1000000000)');
const buckets = new TokenBuckets(database, () => Promise.resolve());
let asks = 0;

async function gateway(): Promise<Admission> {
  const admission = new Admission({
    ask: each => {
      asks += each.length;
      return buckets.grant(each);
    },
    list: async () => (await buckets.list()).map(each => ({ ...each, removed: false })),
  });
  admission.start();
  await admission.admit('bench:nothing');
  return admission;
}

/** Takes tokens until the time is up. @returns how many there were */
async function take(admission: Admission, bucket: string, until: number): Promise<number> {
  let taken = 0;
  while (performance.now() < until) {
    try {
      for (let n = 0; n < AT_ONCE; n += 1) {
        const admitted = admission.admit(bucket);
        if (typeof admitted !== 'boolean') await admitted;
        taken += 1;
      }
    } catch (error) {
      if (!(error instanceof TooManyRequests)) throw error;
    }
    await setImmediate();
  }
  return taken;
}

async function naive(until: number): Promise<number> {
  let taken = 0;
  const one = async () => {
    for (; performance.now() < until; taken += 1)
      await database.query('UPDATE naive SET tokens = tokens - 1 WHERE tokens > 0');
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, one));
  return taken;
}

async function measure(work: (until: number) => Promise<number>): Promise<number> {
  const figures: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedAt = performance.now();
    figures.push(perSecond(await work(startedAt + SECONDS * 1_000), startedAt));
  }
  return median(figures);
}

const whole = (figure: number) => Math.round(figure).toLocaleString('en');

try {
  await buckets.set('bench:plenty', { ratePerSecond: 1e9, capacity: 1e9, adaptive: null });
  const admission = await gateway();
  const plenty = await measure(until => take(admission, 'bench:plenty', until));
  const [asked, rounds] = [asks, ROUNDS * SECONDS];
  const none = await measure(until => take(admission, 'bench:none', until));
  await admission.stop();
  const updates = await measure(naive);
  say(`one process, median of ${ROUNDS} rounds of ${SECONDS} s`);
  say(
    table([
      ['', 'tokens/s', 'statements/s'],
      ['no bucket', whole(none), '0'],
      ['from blocks', whole(plenty), `${whole(asked / rounds)} asks`],
      ['one UPDATE a token', whole(updates), whole(updates)],
    ]),
  );
  const rows: string[][] = [];
  for (const rate of RATES) {
    const bucket = `bench:${rate}`;
    await buckets.set(bucket, { ratePerSecond: rate, capacity: rate, adaptive: null });
    const gateways = await Promise.all(Array.from({ length: GATEWAYS }, gateway));
    const all = async (until: number) =>
      (await Promise.all(gateways.map(each => take(each, bucket, until)))).reduce(
        (sum, each) => sum + each,
        0,
      );
    // The bucket is full at first, which is not what is measured.
    await all(performance.now() + 2_000);
    asks = 0;
    const admitted = await measure(all);
    rows.push([whole(rate), whole(admitted), (admitted / rate).toFixed(3), whole(asks / rounds)]);
    await Promise.all(gateways.map(each => each.stop()));
  }
  say(`\n${GATEWAYS} gateways that want more than there is`);
  say(table([['rate/s', 'admitted/s', 'of the rate', 'asks/s'], ...rows]));
  say(`\n${cpus().length} cores, ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.versions.node}`);
} finally {
  await database.destroy();
  await postgres.stop('immediate');
  await rm(folder, { recursive: true, force: true });
}
