import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { on } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, setPriority, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { KafkaCluster } from '#embedded-kafka';
import { PostgresCluster } from '#embedded-postgres';
import { table } from '#shop-kit';
import { processOf, SERVICES } from '../../apps/stack/src/services.js';
import { type ArrivalsOrder, type ArrivalsReport, openQueue, type QueueAddress } from './arrivals.js';
import { measureNestKafka } from './nest-kafka.js';
import { Ours } from './ours.js';
import { measureRawConsumeInserting, measureRawProduce } from './raw-kafkajs.js';

/**
 * Publish to effect through both transports, against raw kafkajs in batches and against Nest's own Kafka
 * transport with one transaction per message. All run on this machine, in turn, for several rounds; the
 * median is reported.
 */
/** With 0, only latencies are measured. */
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const MESSAGES = Number(process.env['BENCH_MESSAGES'] ?? 60_000);
const NEST_MESSAGES = Number(process.env['BENCH_NEST_MESSAGES'] ?? 5_000);
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 15);
const WARM_UP_SECONDS = 10;
const PER_SECOND = 500;
const PARTITIONS = 4;
const PAYLOAD_BYTES = 300;

const say = (line: string) => process.stdout.write(`${line}\n`);

const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
const postgres = await PostgresCluster.start({ dataDir: join(folder, 'postgres'), password: 'bench' });
const kafka = await KafkaCluster.start({ dataDir: join(folder, 'kafka') });
const brokers = kafka.bootstrap;
// The priority that the launcher gives to background work, so that the servers come first.
const { priority } = processOf(SERVICES.find(({ name }) => name === 'points')!);
setPriority(priority);

async function freshDatabase(): Promise<string> {
  const name = `bench_${randomUUID().replaceAll('-', '')}`;
  await postgres.ensureDatabases([name]);
  return postgres.url(name);
}

const at = { payloadBytes: PAYLOAD_BYTES, partitions: PARTITIONS };

async function freshQueue(kind: 'kafka' | 'postgres'): Promise<QueueAddress> {
  return kind === 'kafka'
    ? { kind, brokers, prefix: `${randomUUID()}.` }
    : { kind, url: await freshDatabase() };
}

async function ours(queue: QueueAddress): Promise<Ours> {
  const databaseUrl = await freshDatabase();
  return Ours.start({ ...at, databaseUrl, open: instance => openQueue(queue, instance) });
}

/** One service publishes; another, with its own process and database, handles. */
async function measureLatency(kind: 'kafka' | 'postgres'): Promise<number[]> {
  const queue = await freshQueue(kind);
  const publisher = await ours(queue);
  const handler = fork(resolve('dist/bench/transport/arrivals.js'));
  setPriority(handler.pid!, priority);
  const reports = on(handler, 'message') as AsyncIterableIterator<[ArrivalsReport]>;
  handler.send({
    ...at,
    databaseUrl: await freshDatabase(),
    queue,
    messages: PER_SECOND * (WARM_UP_SECONDS + SECONDS),
    leftOut: PER_SECOND * WARM_UP_SECONDS,
  } satisfies ArrivalsOrder);
  let publishing: Promise<void> | undefined;
  for await (const [report] of reports) {
    if (report.kind === 'ready')
      publishing = publisher.publishSteadily(PER_SECOND, WARM_UP_SECONDS + SECONDS);
    else {
      await publishing;
      await publisher.stop();
      handler.kill('SIGKILL');
      return report.sorted;
    }
  }
  throw new Error('the handling process ended before it was done');
}

const rates = new Map<string, number[]>();
const note = (what: string, perSecond: number) => {
  rates.set(what, [...(rates.get(what) ?? []), perSecond]);
  say(`  ${what}: ${Math.round(perSecond).toLocaleString('en')}/s`);
};
const latencies = new Map<string, number[]>();

try {
  // Latencies come first, while the servers have nothing left to write from an earlier measurement.
  for (const kind of ['kafka', 'postgres'] as const) latencies.set(kind, await measureLatency(kind));
  const raw = { ...at, brokers, messages: MESSAGES };
  for (let round = 1; round <= ROUNDS; round += 1) {
    say(`round ${round} of ${ROUNDS}`);
    note('kafkajs, produce', (await measureRawProduce({ ...raw, compression: 'zstd' })).perSecond);
    for (const kind of ['kafka', 'postgres'] as const) {
      const service = await ours(await freshQueue(kind));
      note(`relay to ${kind}`, (await service.measureRelay(MESSAGES)).perSecond);
      note(`batches from ${kind}`, (await service.measureHandler(MESSAGES)).perSecond);
      await service.stop();
    }
    const databaseUrl = await freshDatabase();
    note(
      'kafkajs, consume and insert',
      (await measureRawConsumeInserting({ ...raw, compression: 'zstd', databaseUrl })).perSecond,
    );
    const nest = { ...raw, messages: NEST_MESSAGES, databaseUrl, effect: 'transaction' as const };
    note("Nest's Kafka transport", (await measureNestKafka(nest)).perSecond);
  }
  report();
} finally {
  await kafka.stop();
  await postgres.stop('immediate');
  await rm(folder, { recursive: true, force: true });
}

function report(): void {
  const rate = (what: string) => median(rates.get(what)!);
  const times = (what: string, other: string) => (rate(what) / rate(other)).toFixed(2);
  const rows = [...rates.keys()].map(what => [
    what,
    `${Math.round(rate(what)).toLocaleString('en')}/s`,
    rates.get(what)!.map(Math.round).join(', '),
  ]);
  if (rows.length > 0) {
    say(`\n${table(rows)}\n`);
    say(`relay to kafka: ${times('relay to kafka', 'kafkajs, produce')} of kafkajs alone`);
    for (const kind of ['kafka', 'postgres'])
      say(
        `batches from ${kind}: ${times(`batches from ${kind}`, "Nest's Kafka transport")} times Nest's transport`,
      );
  }
  for (const [kind, sorted] of latencies) {
    const share = (part: number) => sorted[Math.floor(sorted.length * part)]!.toFixed(1);
    say(
      `publish to effect on ${kind} at ${PER_SECOND}/s: p50 ${share(0.5)} ms, p99 ${share(0.99)} ms, ` +
        `longest ${sorted.at(-1)!.toFixed(1)} ms (${sorted.length} events)`,
    );
  }
  say(
    `\n${cpus().length} cores, ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.versions.node}; ` +
      `${PARTITIONS} partitions, ${PAYLOAD_BYTES} bytes`,
  );
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
