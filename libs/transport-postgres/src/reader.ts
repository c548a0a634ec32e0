import { Logger } from '@nestjs/common';
import {
  BackgroundTask,
  type BatchHandler,
  type LostRange,
  PartitionDelivery,
  type ReadPosition,
  type ReceivedMessage,
  type Turn,
  untilNext,
} from '#messaging';
import type { SequencedLog } from './log.js';
import { PACE } from './limits.js';

/** A partition being read, and whether the log knows its position. */
export interface LogPosition extends ReadPosition {
  /** Whether the position is still to be committed to the source. */
  uncommitted?: boolean;
}

/** Where a reader gets its partitions, and where it commits what is done. */
export interface PositionSource {
  /** The partitions to read now, the same objects for as long as they are ours. */
  current(): readonly LogPosition[];
  /** @returns false when the partition is no longer ours. */
  commit(position: LogPosition): Promise<boolean>;
}

/**
 * Reads partitions for their delivery. It reads on only when a batch is handled, so a slow handler holds at
 * most one batch per partition in memory.
 */
export class Reader {
  private readonly logger = new Logger(Reader.name);
  private readonly task: BackgroundTask;
  private readonly delivery: PartitionDelivery<LogPosition>;

  constructor(
    private readonly name: string,
    private readonly log: SequencedLog,
    private readonly source: PositionSource,
    handler: BatchHandler,
    private readonly maxBatch: number,
    private readonly maxBatchBytes: number,
  ) {
    const settled = async (position: LogPosition) => {
      position.uncommitted = true;
      await this.commit(position);
    };
    this.delivery = new PartitionDelivery(name, handler, settled, () => this.wake());
    this.task = new BackgroundTask(() => this.turn(), {
      backoff: { firstMs: PACE.retryMs, longestMs: PACE.retryMs },
      onError: error => this.logger.warn(`${name}: reading failed, trying again: ${String(error)}`),
    });
  }

  start(): void {
    this.task.start();
  }

  wake(): void {
    this.task.wake();
  }

  /** Resolves when no batch of this partition is in progress. */
  async idle(position: LogPosition): Promise<void> {
    await this.delivery.idle(position);
  }

  /** Signals a partition's handler that the partition is no longer ours. */
  abandon(position: LogPosition): void {
    this.delivery.abandon(position);
  }

  /** Takes no more batches, and waits for those in progress. */
  async stop(): Promise<void> {
    await Promise.all([this.delivery.stop(), this.task.stop()]);
  }

  private async turn(): Promise<Turn> {
    const idle = this.source.current().filter(position => !this.delivery.isBusy(position));
    for (const position of idle.filter(each => each.uncommitted)) await this.commit(position);
    const batches = idle.length === 0 ? [] : await this.log.fetch(idle, this.maxBatch, this.maxBatchBytes);
    if (this.delivery.stopping) return 'done';
    for (const { topic, partition, messages } of batches) {
      const position = idle.find(each => each.topic === topic && each.partition === partition)!;
      if (!this.source.current().includes(position)) continue;
      position.lost = gapsIn(position.after, messages);
      this.delivery.deliver(position, messages, messages.length >= this.maxBatch);
    }
    return untilNext(PACE.pollMs);
  }

  // A commit that was lost with its connection is repeated before anything else is read.
  private async commit(position: LogPosition): Promise<void> {
    const mine = await this.source.commit(position);
    position.uncommitted = false;
    if (!mine) this.logger.warn(`${this.name}: ${position.topic}/${position.partition} was overtaken`);
  }
}

/** Positions are dense here: one without a message is lost. */
function gapsIn(after: number, messages: readonly ReceivedMessage[]): LostRange[] {
  return messages.flatMap(({ position }, at) => {
    const from = (messages[at - 1]?.position ?? after) + 1;
    return position > from ? [{ from, to: position - 1 }] : [];
  });
}
