import { startCluster } from '../dist/libs/testkit/src/cluster.js';
import { TEST_SERVER } from '../dist/libs/testkit/src/database.js';

/** One server for every integration test; each file clones a database of its own. It keeps nothing, so no fsync. */
export default async function startSharedServer() {
  const started = await startCluster({ fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' });
  process.env[TEST_SERVER] = started.cluster.url('').replace(/\/$/, '');
  globalThis.sluiceTestCluster = started;
}
