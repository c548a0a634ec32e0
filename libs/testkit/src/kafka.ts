import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaCluster, type KafkaClusterOptions } from '#embedded-kafka';

export interface TestKafka {
  readonly cluster: KafkaCluster;
  stop(): Promise<void>;
}

/** Brokers for one test, in a folder that is removed when they stop. */
export async function startKafka(options: Omit<KafkaClusterOptions, 'dataDir'> = {}): Promise<TestKafka> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-kafka-'));
  const cluster = await KafkaCluster.start({ ...options, dataDir });
  return {
    cluster,
    async stop() {
      await cluster.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
