import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { startPostgres, transportContract } from '#testkit';
import { PostgresTransport } from './postgres-transport.js';

const LEASE_MS = 1_500;

transportContract('PostgreSQL', async () => {
  const { cluster, stop } = await startPostgres();
  await cluster.ensureDatabases(['log']);
  const options = () => ({ url: cluster.url('log'), instance: randomUUID(), leaseMs: LEASE_MS });
  return {
    leaseMs: LEASE_MS,
    connect: () => new PostgresTransport(options()),
    worker: () => ({ module: resolve('dist/libs/transport-postgres/src/worker.js'), options: options() }),
    restartServer: () => cluster.restart('immediate'),
    stop,
  };
});
