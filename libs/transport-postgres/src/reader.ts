import { setTimeout } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { type BatchHandler, pauseAfter, type ReceivedMessage, restAfter, Wakeup } from '#messaging';
import type { SequencedLog } from './log.js';
import { PACE } from './limits.js';

/** A partition being read. */
export interface ReadPosition {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
  /** The last position done. */
  after: number;
  /** Whether the source has not been told of it yet. */
  uncommitted?: boolean;
}

/** Where a reader gets its partitions, and to whom it says what is done. */
export interface PositionSource {
  /** The partitions to read now, the same objects for as long as they are ours. */
  current(): readonly ReadPosition[];
  /** @returns false when the partition is not ours any more. */
  commit(position: ReadPosition): Promise<boolean>;
}

const BACKOFF = { firstMs: PACE.firstBackoffMs, longestMs: PACE.lastBackoffMs };

interface InHand {
  readonly abort: AbortController;
  done: Promise<void>;
}

/**
 * Reads partitions and hands their messages to a handler: one batch a partition at a time, partitions side by
 * side. What is not handled is not read, so a slow handler holds one batch a partition in memory and no more.
 */
export class Reader {
  private readonly logger = new Logger(Reader.name);
  private readonly wakeup = new Wakeup();
  private readonly inHand = new Map<ReadPosition, InHand>();
  private readonly failures = new WeakMap<ReadPosition, number>();
  private readonly stopped = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly name: string,
    private readonly log: SequencedLog,
    private readonly source: PositionSource,
    private readonly handler: BatchHandler,
    private readonly maxBatch: number,
    private readonly maxBatchBytes: number,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  wake(): void {
    this.wakeup.wake();
  }

  /** Resolves when nothing of this partition is in hand. */
  async idle(position: ReadPosition): Promise<void> {
    await this.inHand.get(position)?.done;
  }

  /** Tells the handler of a partition that it is not ours any more. */
  abandon(position: ReadPosition): void {
    this.inHand
      .get(position)
      ?.abort.abort(new Error(`${position.topic}/${position.partition} has another owner`));
  }

  /** Takes no more, waits for what is in hand. */
  async stop(): Promise<void> {
    this.stopped.abort();
    this.wakeup.wake();
    await this.running;
    await Promise.all([...this.inHand.values()].map(each => each.done));
  }

  private async run(): Promise<void> {
    let pause: number = PACE.firstPollMs;
    while (!this.stopped.signal.aborted) {
      try {
        const idle = this.source.current().filter(position => !this.inHand.has(position));
        for (const position of idle.filter(each => each.uncommitted)) await this.commit(position);
        const batches =
          idle.length === 0 ? [] : await this.log.fetch(idle, this.maxBatch, this.maxBatchBytes);
        if (this.stopped.signal.aborted) return;
        for (const { topic, partition, messages } of batches) {
          const position = idle.find(each => each.topic === topic && each.partition === partition)!;
          if (this.source.current().includes(position)) this.take(position, messages);
        }
        pause = batches.length > 0 ? PACE.firstPollMs : Math.min(pause * 2, PACE.lastPollMs);
        await this.wakeup.wait(pause);
      } catch (error) {
        this.logger.warn(`${this.name}: reading failed, trying again: ${String(error)}`);
        await this.wakeup.sleep(PACE.retryMs, () => this.stopped.signal.aborted);
      }
    }
  }

  // A commit that was lost with its connection is made up for before anything else is read.
  private async commit(position: ReadPosition): Promise<void> {
    const mine = await this.source.commit(position);
    position.uncommitted = false;
    if (!mine) this.logger.warn(`${this.name}: ${position.topic}/${position.partition} was overtaken`);
  }

  private take(position: ReadPosition, messages: readonly ReceivedMessage[]): void {
    const abort = new AbortController();
    const entry: InHand = { abort, done: Promise.resolve() };
    this.inHand.set(position, entry);
    entry.done = this.work(position, messages, abort.signal).finally(() => {
      this.inHand.delete(position);
      this.wakeup.wake();
    });
  }

  private async work(
    position: ReadPosition,
    messages: readonly ReceivedMessage[],
    signal: AbortSignal,
  ): Promise<void> {
    const { topic, partition, epoch } = position;
    const startedAt = performance.now();
    try {
      await this.handler({ topic, partition, epoch, messages, signal });
      position.after = messages.at(-1)!.position;
      this.failures.delete(position);
      position.uncommitted = true;
      await this.commit(position);
      await restAfter(startedAt, this.stopped.signal);
    } catch (error) {
      if (signal.aborted || this.stopped.signal.aborted) return;
      const failures = (this.failures.get(position) ?? 0) + 1;
      this.failures.set(position, failures);
      const pause = Math.round(pauseAfter(failures, BACKOFF));
      this.logger.warn(`${this.name}: ${topic}/${partition} waits ${pause} ms: ${String(error)}`);
      const signals = AbortSignal.any([signal, this.stopped.signal]);
      await setTimeout(pause, undefined, { signal: signals }).catch(() => undefined);
    }
  }
}
