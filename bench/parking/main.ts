import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { DataSource, type EntityManager } from 'typeorm';
import { OrderPaid } from '#contracts';
import { PostgresCluster } from '#embedded-postgres';
import {
  Consumer,
  DEFAULT_RETRY,
  envelop,
  messagingMigrations,
  Retrier,
  type Subscription,
  toWire,
} from '#messaging';
import { PostgresTransport } from '#transport-postgres';
import { anEvent } from '../transport/events.js';
import { CREATE_EFFECTS, INSERT_EFFECTS } from '../transport/effects.js';

/**
 * A key whose first message fails while a backlog gathers behind it. The handler recovers, and messages of the key
 * keep coming, beside those of other keys: how long until the backlog is gone, and what do the other keys feel? They
 * are measured first without a backlog, in the same run.
 */
const BACKLOG = Number(process.env['BENCH_BACKLOG'] ?? 10_000);
const HOT_PER_SECOND = 500;
const OTHERS_PER_SECOND = 100;
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 15);
const HOT = randomUUID();
const NAME = 'bench.follow-order';

const say = (line: string) => process.stdout.write(`${line}\n`);

const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
const postgres = await PostgresCluster.start({ dataDir: join(folder, 'postgres'), password: 'bench' });
await postgres.ensureDatabases(['service', 'queue']);
const database = new DataSource({
  type: 'postgres',
  url: postgres.url('service'),
  poolSize: 8,
  migrations: messagingMigrations,
  migrationsTableName: 'migration',
});
await database.initialize();
await database.runMigrations();
await database.query(CREATE_EFFECTS);
const transport = new PostgresTransport({ url: postgres.url('queue'), instance: randomUUID() });
await transport.ensureTopics([{ name: OrderPaid.topic, partitions: 1 }]);

let broken = true;
let waits: number[] = [];
const subscription: Subscription = {
  name: NAME,
  routes: new Map([
    [
      OrderPaid.type,
      {
        definition: OrderPaid,
        takesBatch: true,
        invoke: (events, { tx }) => effect(events as readonly OrderPaid[], tx!),
      },
    ],
  ]),
  mode: 'competing',
  startFrom: 'start',
  batch: 200,
  retry: { ...DEFAULT_RETRY, attempts: 1_000 },
};

async function effect(events: readonly OrderPaid[], tx: EntityManager): Promise<void> {
  if (broken && events.some(({ orderId }) => orderId === HOT)) throw new Error('not yet');
  await tx.query(INSERT_EFFECTS, [
    events.map(event => event.orderId),
    events.map(event => event.buyerId),
    events.map(event => event.totalMinor),
  ]);
  const now = Date.now();
  for (const { orderId, paidAt } of events) if (orderId !== HOT) waits.push(now - Date.parse(paidAt));
}

let sequence = 0;
const publish = (hot: number, others: number) =>
  transport.publish(
    Array.from({ length: hot + others }, (_, n) => {
      const event = anEvent((sequence += 1), 300);
      return toWire(envelop(OrderPaid, n < hot ? { ...event, orderId: HOT } : event), 'bench');
    }),
  );

const parked = async () => {
  const [{ count }] = (await database.query('SELECT count(*)::int FROM messaging.parked')) as [
    { count: number },
  ];
  return count;
};

/** Publishes steadily until `over`. @returns how many seconds that took */
async function load(hotPerSecond: number, over: () => Promise<boolean> | boolean): Promise<number> {
  const startedAt = performance.now();
  const perTick = 50;
  for (let tick = 1; ; tick += 1) {
    await publish(hotPerSecond / perTick, OTHERS_PER_SECOND / perTick);
    await setTimeout(Math.max(0, startedAt + (tick * 1_000) / perTick - performance.now()));
    if (tick % 10 === 0 && (await over())) return (performance.now() - startedAt) / 1_000;
  }
}

function report(what: string): void {
  const sorted = waits.sort((a, b) => a - b);
  const share = (part: number) => `${sorted[Math.floor((sorted.length - 1) * part)]} ms`;
  say(
    `${what}: other keys p50 ${share(0.5)}, p99 ${share(0.99)}, longest ${share(1)} (${sorted.length} events)`,
  );
  waits = [];
}

try {
  const consumer = new Consumer(subscription, database);
  const options = { group: NAME, topics: [OrderPaid.topic], mode: 'competing', startFrom: 'start' } as const;
  await transport.subscribe({ ...options, maxBatch: 1_000 }, batch => consumer.handle(batch));
  const elapsed = (seconds: number) => {
    const until = performance.now() + seconds * 1_000;
    return () => performance.now() >= until;
  };
  await load(0, elapsed(5));
  waits = [];
  await load(0, elapsed(SECONDS));
  report(`without a backlog, ${OTHERS_PER_SECOND}/s`);
  while ((await parked()) < BACKLOG) {
    await publish(Math.min(500, BACKLOG - (await parked())), 0);
    await setTimeout(100);
  }
  say(`${(await parked()).toLocaleString('en')} messages of one key are parked`);
  const retrier = new Retrier(database, [subscription]);
  retrier.start();
  broken = false;
  const seconds = await load(HOT_PER_SECOND, async () => (await parked()) === 0);
  report(`draining while ${HOT_PER_SECOND}/s more come on the key`);
  say(`the backlog was gone, and the key free, after ${seconds.toFixed(1)} s`);
  await load(HOT_PER_SECOND, elapsed(SECONDS));
  report(`afterwards, ${HOT_PER_SECOND}/s on the key`);
  await retrier.stop();
  say(`\n${cpus().length} cores, ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.versions.node}`);
} finally {
  await transport.close();
  await database.destroy();
  await postgres.stop('immediate');
  await rm(folder, { recursive: true, force: true });
}
