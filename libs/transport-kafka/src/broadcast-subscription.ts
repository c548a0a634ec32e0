import {
  type BatchHandler,
  isSamePartition,
  PartitionDelivery,
  type ReadPosition,
  type TransportSubscription,
} from '#messaging';
import { endsOf, type KafkaClient } from './client.js';
import { partitionsOf } from './assignor.js';
import { Fetcher } from './fetcher.js';
import { handOut, type ReadOptions } from './hand-out.js';
import { PACE } from './limits.js';

/**
 * A copy of everything from now on. The brokers keep no state of it, so a lost instance leaves nothing
 * behind.
 */
export class BroadcastSubscription implements TransportSubscription {
  private readonly fetcher: Fetcher;
  private readonly delivery: PartitionDelivery<ReadPosition>;
  private positions: readonly ReadPosition[] = [];
  private watching: NodeJS.Timeout | undefined;
  private closing: Promise<void> | undefined;

  /** @param client connections of its own, closed with it */
  constructor(
    private readonly client: KafkaClient,
    name: string,
    private readonly topics: readonly string[],
    private readonly read: ReadOptions,
    handler: BatchHandler,
    private readonly onClosed: () => void,
  ) {
    const source = { topics, ahead: 2 * read.messages, whenGone: 'end', nameOf: read.nameOf } as const;
    this.fetcher = new Fetcher(client, source, () => this.advance());
    this.delivery = new PartitionDelivery(
      name,
      batch => handler({ ...batch, topic: read.nameOf(batch.topic) }),
      async () => undefined,
      () => this.advance(),
    );
  }

  /** Resolves when the offsets of now are known. */
  async start(): Promise<void> {
    const ends = await this.client.useTopics(this.topics, cluster => endsOf(cluster, this.topics));
    this.positions = ends.map(({ end, ...each }) => ({ ...each, epoch: 0, after: end }));
    this.fetcher.keep(this.positions);
    this.fetcher.start();
    this.watching = setInterval(() => void this.takeNew().catch(() => undefined), PACE.metadataMs).unref();
  }

  close(): Promise<void> {
    return (this.closing ??= this.shutDown());
  }

  /** Takes partitions that a topic has gained since, from their start. */
  private async takeNew(): Promise<void> {
    const partitions = await this.client.useTopics(this.topics, async cluster =>
      partitionsOf(cluster, this.topics),
    );
    const fresh = partitions.filter(
      each => !this.positions.some(position => isSamePartition(position, each)),
    );
    if (fresh.length === 0) return;
    this.positions = [...this.positions, ...fresh.map(each => ({ ...each, epoch: 0, after: 0 }))];
    this.fetcher.keep(this.positions);
  }

  private async shutDown(): Promise<void> {
    clearInterval(this.watching);
    await this.delivery.stop();
    await this.fetcher.stop();
    await this.client.close();
    this.onClosed();
  }

  private advance(): void {
    handOut(this.positions, this.fetcher, this.delivery, this.read);
  }
}
