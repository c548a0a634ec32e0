import { setTimeout } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { restAfter } from '../runtime/yielding.js';
import type { ReceivedMessage, TopicPartition } from '../message/received-message.js';
import { pauseAfter } from '../runtime/backoff.js';
import type { BatchHandler, LostRange } from './transport.js';

/** A partition being read: one object for as long as its epoch lasts. */
export interface ReadPosition extends TopicPartition {
  readonly epoch: number;
  /** The last position done. */
  after: number;
  /** What was found lost since then. */
  lost?: readonly LostRange[];
}

/** The pause after a handler failed, in ms, doubling. */
const BACKOFF = { firstMs: 200, longestMs: 10_000 };

interface InHand {
  readonly abort: AbortController;
  done: Promise<void>;
}

/**
 * Hands messages to a subscription's handler: one batch per partition at a time, partitions in parallel.
 * After a failed batch its partition pauses, longer each time; then the transport delivers the same messages
 * again.
 */
export class PartitionDelivery<Position extends ReadPosition> {
  private readonly logger = new Logger(PartitionDelivery.name);
  private readonly inHand = new Map<Position, InHand>();
  private readonly failures = new WeakMap<Position, number>();
  private readonly stopped = new AbortController();

  constructor(
    private readonly name: string,
    private readonly handler: BatchHandler,
    /** A batch is done and `after` has moved. The next batch of the partition waits for this call. */
    private readonly onSettled: (position: Position) => Promise<void>,
    /** A partition can take its next batch. */
    private readonly onIdle: () => void,
  ) {}

  get stopping(): boolean {
    return this.stopped.signal.aborted;
  }

  isBusy(position: Position): boolean {
    return this.inHand.has(position);
  }

  /** Resolves when no batch of this partition is in progress. */
  async idle(position: Position): Promise<void> {
    await this.inHand.get(position)?.done;
  }

  /** Signals a partition's handler that the partition is no longer ours, or soon will not be. */
  abandon(position: Position): void {
    const { topic, partition } = position;
    this.inHand.get(position)?.abort.abort(new Error(`${topic}/${partition} has another owner`));
  }

  /** Takes no more batches, and waits for those in progress. */
  async stop(): Promise<void> {
    this.stopped.abort();
    await Promise.all([...this.inHand.values()].map(each => each.done));
  }

  /**
   * The messages must follow the position, and no batch of their partition may be in progress.
   * @param full whether the batch is as large as it may be
   */
  deliver(position: Position, messages: readonly ReceivedMessage[], full: boolean): void {
    const abort = new AbortController();
    const entry: InHand = { abort, done: Promise.resolve() };
    this.inHand.set(position, entry);
    entry.done = this.work(position, messages, full, abort.signal).finally(() => {
      this.inHand.delete(position);
      this.onIdle();
    });
  }

  private async work(
    position: Position,
    messages: readonly ReceivedMessage[],
    full: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { topic, partition, epoch } = position;
    const startedAt = performance.now();
    try {
      const { lost = [] } = position;
      await this.handler({ topic, partition, epoch, messages, lost, signal });
      position.after = messages.at(-1)!.position;
      position.lost = lost.filter(({ to }) => to > position.after);
      this.failures.delete(position);
      await this.onSettled(position);
      await restAfter(startedAt, { full, signal: AbortSignal.any([signal, this.stopped.signal]) });
    } catch (error) {
      if (signal.aborted || this.stopping) return;
      const failures = (this.failures.get(position) ?? 0) + 1;
      this.failures.set(position, failures);
      const pause = Math.round(pauseAfter(failures, BACKOFF));
      this.logger.warn(`${this.name}: retrying ${topic}/${partition} in ${pause} ms: ${String(error)}`);
      const signals = AbortSignal.any([signal, this.stopped.signal]);
      await setTimeout(pause, undefined, { signal: signals }).catch(() => undefined);
    }
  }
}
