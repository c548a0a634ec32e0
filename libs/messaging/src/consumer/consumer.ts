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
  /** Most messages of the subscription parked at a time; past it the subscription waits. */
  readonly parked: number;
}

export const DEFAULT_CONSUMER_LIMITS: ConsumerLimits = { parked: 10_000 };

/** So many messages are parked that something is wrong with more than messages; the subscription waits. */
class TooManyParked extends Error {
  constructor(subscription: string, limit: number) {
    super(
      `${subscription} has ${limit} messages parked and takes no more until some are handled; ` +
        'the reasons are in GET /api/admin/messaging/subscriptions and in the log',
    );
  }
}

/**
 * Settles batches: receipts, the handlers' writes and what they publish in one transaction.
 *
 * A failing batch is halved until the failing message is alone; what came before it stays done. The message is
 * parked, to be tried again later; those of its key that come after it line up behind it, everything else flows.
 * An error of the infrastructure parks nothing: the batch is rejected, and the transport brings it again; what is
 * tried in one transaction is then halved, so that a dependency that is half there gets through what it can.
 */
export class Consumer {
  private readonly logger = new Logger(Consumer.name);
  private readonly closing = new AbortController();
  private readonly stall: SubscriptionStall;
  /** Messages in one transaction: fewer after an outage, more again with each batch that goes well. */
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

  /** What waits for the end of a pause waits no longer; it is not handled. */
  close(): void {
    this.closing.abort();
  }

  // What is only passed over costs nothing, so it does not count.
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
    // Not ours any more: leave it to the next owner. Its epoch would refuse us anyway.
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
        // What a dependency takes part of would begin anew for ever: less at a time, until it is through.
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

  /** @param failed why the message, alone, is to be parked and not handled */
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
        // Positions that no message had count as skipped: some transports have them.
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
    // A batch is let in as long as there is any room: it must not wait for ever because it is large.
    if (count > 0 && count + wanted > this.limits.parked) throw new TooManyParked(name, this.limits.parked);
  }

  /** Sets a message aside for the retrier: one that failed, or one whose key waits for another that did. */
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

  /** Gives a message up that no retry can help. It keeps everything it came with. */
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
