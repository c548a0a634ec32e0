import type { Channel } from 'node:diagnostics_channel';
import { Logger } from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import { Header } from '../message/envelope.js';
import type { ReceivedMessage } from '../message/received-message.js';
import { runInTrace } from '../message/trace.js';
import { bury } from '../parking/dead-letter-store.js';
import { countParked, park } from '../parking/parked-messages.js';
import { type Place, storable } from '../parking/place.js';
import { failedAttempt, type FailedAttempt } from '../parking/retry-policy.js';
import { pauseAfter } from '../runtime/backoff.js';
import { describeError } from '../runtime/describe-error.js';
import { isInfrastructureError, isStaleOwner } from '../runtime/infrastructure-error.js';
import type { Batch } from '../transport/transport.js';
import { type Classified, classifyMessage, segment, type ToHandle } from './classify-message.js';
import { beginBatch, type OpenedBatch } from './inbox.js';
import { isPaused, untilResumed } from './pause.js';
import { advanceProgress, type BatchCounts } from './progress.js';
import { claimedChannel, failedChannel, handledChannel, settledChannel, type StepSignal } from './signals.js';
import type { Subscription } from './subscription.js';
import { SubscriptionStall } from './subscription-stall.js';

export interface ConsumerLimits {
  /** Most messages that the subscription may have parked at a time; beyond that it waits. */
  readonly parked: number;
}

export const DEFAULT_CONSUMER_LIMITS: ConsumerLimits = { parked: 10_000 };

/** Too many messages are parked: more must be wrong than a few messages. The subscription waits. */
class TooManyParked extends Error {
  constructor(subscription: string, limit: number) {
    super(
      `${subscription} has ${limit} messages parked and accepts no more until some are handled; ` +
        'see GET /api/admin/messaging/subscriptions and the log for the reasons',
    );
  }
}

/**
 * Settles batches: receipts, the handlers' writes and what they publish are one transaction.
 *
 * A failing batch is halved until the failing message is alone; what came before it stays done. That message
 * is parked and retried later. Later messages of its key line up behind it; everything else goes on.
 * An infrastructure error parks nothing: the batch is rejected, and the transport delivers it again.
 * Transactions are then halved, so that a partly available dependency gets through as much as it can.
 */
export class Consumer {
  private readonly logger = new Logger(Consumer.name);
  private readonly closing = new AbortController();
  private readonly stall: SubscriptionStall;
  /** Most messages in one transaction: fewer after an outage, more again with each successful batch. */
  private atOnce: number;

  constructor(
    private readonly subscription: Subscription,
    private readonly database: DataSource,
    private readonly limits: ConsumerLimits = DEFAULT_CONSUMER_LIMITS,
  ) {
    this.stall = new SubscriptionStall(database, subscription.name);
    this.atOnce = subscription.batch;
  }

  async handle(batch: Batch): Promise<void> {
    for (const chunk of this.chunks(batch.messages)) await this.settleOrHalve(batch, chunk);
    this.atOnce = Math.min(this.subscription.batch, this.atOnce * 2);
  }

  /** A batch that waits for the end of a pause stops waiting and is not handled. */
  close(): void {
    this.closing.abort();
  }

  // Skipped messages cost nothing, so they do not count.
  private *chunks(messages: readonly ReceivedMessage[]): Generator<readonly ReceivedMessage[]> {
    let [from, handled] = [0, 0];
    for (const [at, { headers }] of messages.entries()) {
      if (!this.subscription.routes.has(headers[Header.type] ?? '')) continue;
      if (handled >= this.atOnce) {
        yield messages.slice(from, at);
        [from, handled] = [at, 0];
      }
      handled += 1;
    }
    if (from < messages.length) yield messages.slice(from);
  }

  private async settleOrHalve(batch: Batch, messages: readonly ReceivedMessage[]): Promise<void> {
    // The partition is no longer ours: leave it to the next owner. Its epoch would refuse us anyway.
    batch.signal.throwIfAborted();
    try {
      await this.settle(batch, messages);
    } catch (error) {
      if (isPaused(error)) {
        const signal = AbortSignal.any([batch.signal, this.closing.signal]);
        await untilResumed(this.database, this.subscription.name, signal);
        return this.settleOrHalve(batch, messages);
      }
      this.reportFailure(batch, messages, error);
      if (isInfrastructureError(error) || error instanceof TooManyParked) {
        // A dependency that takes only part of a batch would make it restart forever: try fewer at a time.
        if (!(error instanceof TooManyParked))
          this.atOnce = Math.max(1, Math.floor(Math.min(this.atOnce, messages.length) / 2));
        if (!batch.signal.aborted && !isStaleOwner(error)) await this.stall.report(error);
        throw error;
      }
      const [message] = messages;
      if (message !== undefined && messages.length === 1) {
        await this.settle(batch, messages, failedAttempt(error));
        return;
      }
      const middle = Math.ceil(messages.length / 2);
      await this.settleOrHalve(batch, messages.slice(0, middle));
      await this.settleOrHalve(batch, messages.slice(middle));
    }
  }

  /** @param failed why the message, which must be alone, is parked instead of handled */
  private async settle(
    batch: Batch,
    messages: readonly ReceivedMessage[],
    failed?: FailedAttempt,
  ): Promise<void> {
    const classified = messages.map(message => classifyMessage(this.subscription, message));
    const toHandle = classified.filter(item => item.kind === 'handle');
    const { name } = this.subscription;
    const first = messages[0]!.position;
    const last = messages.at(-1)!.position;
    const counts = await this.database.transaction(async tx => {
      const opened = await beginBatch(tx, name, batch, first, toHandle);
      this.announce(claimedChannel, batch);
      const due = classified.filter(item => item.message.position > opened.settled);
      const result = await this.work(tx, batch, due, opened, failed);
      if (last > opened.settled) {
        // Positions without a message count as skipped: some transports have such gaps.
        const gaps = last - opened.settled - due.length;
        const settled = { ...result, skipped: result.skipped + gaps };
        await advanceProgress(tx, name, batch, last, settled);
      }
      this.announce(handledChannel, batch);
      return result;
    });
    const { topic, partition } = batch;
    settledChannel.publish({ subscription: name, topic, partition, position: last, ...counts });
    await this.stall.clear();
  }

  private announce(step: Channel, { topic, partition }: Batch): void {
    step.publish({ subscription: this.subscription.name, topic, partition } satisfies StepSignal);
  }

  private async work(
    tx: EntityManager,
    batch: Batch,
    due: readonly Classified[],
    opened: OpenedBatch,
    failed: FailedAttempt | undefined,
  ): Promise<BatchCounts> {
    const fresh = takeFresh(due, opened.fresh);
    const taken = new Set(opened.parked);
    const waits = (item: ToHandle) => failed !== undefined || taken.has(storable(item.message.key));
    const parked = fresh.filter(waits);
    const free = fresh.filter(item => !waits(item));
    for (const part of segment(free)) await this.invoke(part.route.takesBatch, part.items, tx);
    if (parked.length > 0) await this.checkRoom(tx, parked.length);
    for (const { message } of parked) await this.park(tx, this.placeOf(batch, message), message, failed);
    const dead = due.filter(item => item.kind === 'dead');
    for (const { message, problem } of dead)
      await this.bury(tx, this.placeOf(batch, message), message, problem);
    const skipped = due.filter(item => item.kind === 'skip').length;
    const duplicate = due.length - fresh.length - dead.length - skipped;
    return { handled: free.length, skipped, duplicate, parked: parked.length, dead: dead.length };
  }

  private placeOf({ topic, partition }: Batch, { position }: ReceivedMessage): Place {
    return { subscription: this.subscription.name, topic, partition, position };
  }

  /** @throws TooManyParked */
  private async checkRoom(tx: EntityManager, wanted: number): Promise<void> {
    const { name } = this.subscription;
    const count = await countParked(tx, name);
    // A batch larger than the limit is let in when nothing is parked: it must not wait forever.
    if (count > 0 && count + wanted > this.limits.parked) throw new TooManyParked(name, this.limits.parked);
  }

  /**
   * Parks a message for the retrier: one that failed, or one whose key waits for an earlier message that did.
   */
  private async park(
    tx: EntityManager,
    place: Place,
    message: ReceivedMessage,
    attempt: FailedAttempt | undefined,
  ): Promise<void> {
    const failure = attempt && { attempt, pauseMs: pauseAfter(1, this.subscription.retry) };
    await park(tx, place, message, failure);
  }

  private async invoke(takesBatch: boolean, items: readonly ToHandle[], tx: EntityManager): Promise<void> {
    const route = items[0]!.route;
    if (takesBatch) {
      const messages = items.map(item => item.message);
      await runInTrace(traceOf(items[0]!), () =>
        route.invoke(
          items.map(item => item.event),
          { tx, messages },
        ),
      );
      return;
    }
    for (const item of items) {
      await runInTrace(traceOf(item), () => route.invoke(item.event, { tx, messages: [item.message] }));
    }
  }

  /** Gives up a message that no retry can help. Its dead letter keeps everything that it came with. */
  private async bury(
    tx: EntityManager,
    place: Place,
    message: ReceivedMessage,
    problem: string,
  ): Promise<void> {
    await bury(tx, place, message, problem);
    const { subscription, topic, partition, position } = place;
    this.logger.error(
      `${subscription}: message at ${topic}/${partition}:${position} is a dead letter: ${problem}`,
    );
  }

  private reportFailure(batch: Batch, messages: readonly ReceivedMessage[], error: unknown): void {
    const { name } = this.subscription;
    const { topic, partition } = batch;
    const place = `${topic}/${partition}:${messages[0]!.position}`;
    const reason = describeError(error);
    this.logger.warn(`${name}: ${messages.length} message(s) from ${place} failed: ${reason}`);
    failedChannel.publish({ subscription: name, topic, partition, size: messages.length, error });
  }
}

/** The messages to handle: each id once, even when a batch has it twice. */
function takeFresh(due: readonly Classified[], freshIds: readonly string[]): ToHandle[] {
  const left = new Set(freshIds);
  const fresh: ToHandle[] = [];
  for (const item of due) {
    if (item.kind !== 'handle' || !left.has(item.id)) continue;
    left.delete(item.id);
    fresh.push(item);
  }
  return fresh;
}

function traceOf(item: ToHandle): string | undefined {
  return item.message.headers[Header.traceparent];
}
