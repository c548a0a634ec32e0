// The fixes that our transport makes to kafkajs, and the codec it adds, apply to the baselines too.
import '#transport-kafka';
// By its default export: Node finds only some names of this CommonJS module.
import kafkajs, { type Kafka } from 'kafkajs';

const { CompressionTypes, logLevel } = kafkajs;

export type Compression = 'none' | 'gzip' | 'zstd';

export const COMPRESSION_TYPE = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  zstd: CompressionTypes.ZSTD,
} as const satisfies Record<Compression, number>;

process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';

export function connect(brokers: readonly string[]): Kafka {
  return new kafkajs.Kafka({ clientId: 'bench', brokers: [...brokers], logLevel: logLevel.ERROR });
}

/** Runs the work on a topic of its own, which is deleted afterwards. */
export async function withTopic<T>(
  brokers: readonly string[],
  topic: string,
  partitions: number,
  work: () => Promise<T>,
): Promise<T> {
  const admin = connect(brokers).admin();
  await admin.connect();
  try {
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: partitions }] });
    try {
      return await work();
    } finally {
      await admin.deleteTopics({ topics: [topic] });
    }
  } finally {
    await admin.disconnect();
  }
}
