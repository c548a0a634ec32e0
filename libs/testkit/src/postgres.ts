import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PostgresCluster } from '#embedded-postgres';

export interface TestPostgres {
  readonly cluster: PostgresCluster;
  stop(): Promise<void>;
}

/** A PostgreSQL server for one test, in a folder that is removed when it stops. */
export async function startPostgres(settings: Readonly<Record<string, string>> = {}): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  const cluster = await PostgresCluster.start({
    dataDir: join(folder, 'postgres'),
    password: 'test',
    settings,
  });
  return {
    cluster,
    async stop() {
      await cluster.stop('immediate');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
