import { startPostgres } from '../dist/libs/testkit/src/postgres.js';
import { TEST_SERVER } from '../dist/libs/testkit/src/database.js';
import { startKafka } from '../dist/libs/testkit/src/kafka.js';
import { TEST_BROKERS, TEST_TRANSPORT } from '../dist/libs/testkit/src/test-queue.js';

/** Servers for all integration tests. Each file has its own database or prefix. No data is kept: no fsync. */
export default async function startSharedServer() {
  const started = await startPostgres({ fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' });
  process.env[TEST_SERVER] = started.cluster.url('').replace(/\/$/, '');
  globalThis.sluiceTestServers = [started];
  if (process.env[TEST_TRANSPORT] !== 'kafka') return;
  const kafka = await startKafka();
  process.env[TEST_BROKERS] = kafka.cluster.bootstrap.join(',');
  globalThis.sluiceTestServers.push(kafka);
}
