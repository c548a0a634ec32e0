import type { Channel } from 'node:diagnostics_channel';
import { Logger } from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import { Header } from '../message/envelope.js';
import { partitionName, type ReceivedMessage, typeOf } from '../message/received-message.js';
import { runInTrace } from '../message/trace.js';
import { bury } from '../parking/dead-letter-store.js';
import { countParked, park } from '../parking/parked-messages.js';
import { type Place, storable } from '../parking/place.js';
import { failedAttempt, type FailedAttempt } from '../parking/retry-policy.js';
import { pauseAfter } from '../runtime/backoff.js';
import { asError, describeError } from '../runtime/describe-error.js';
import { isCircuitOpen, isInfrastructureError, isStaleOwner } from '../runtime/infrastructure-error.js';
import { reportUnavailable } from '../runtime/report-unavailable.js';
import type { Batch } from '../transport/transport.js';
import { type Classified, classifyMessage, segment, type ToHandle } from './classify-message.js';
import { CrashGuard, ProcessEnded } from './crash-guard.js';
import { countHandled, noteHandled } from './handled-types.js';
import { beginBatch, type OpenedBatch } from './inbox.js';
import { isPaused, untilResumed } from './pause.js';
import { planProbe } from './outage-probe.js';
import { PartitionOutages } from './partition-outages.js';
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

/** Nothing was handled that could show whether there is an outage. */
class NoEvidence extends Error {
  constructor() {
    super('no other message could be tried');
  }
}

/** Messages that are to be parked as failed: those of some keys, or all. */
interface Failing {
  readonly attempt: FailedAttempt;
  readonly keys?: ReadonlySet<string>;
  /** Whether something else must be handled in the same transaction. */
  readonly needsEvidence?: boolean;
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
  private readonly crashes: CrashGuard;
  private readonly outages: PartitionOutages;

  constructor(
    private readonly subscription: Subscription,
    private readonly database: DataSource,
    private readonly limits: ConsumerLimits = DEFAULT_CONSUMER_LIMITS,
  ) {
    reportUnavailable(database);
    this.stall = new SubscriptionStall(database, subscription.name);
    this.crashes = new CrashGuard(database, subscription.name);
    this.outages = new PartitionOutages(subscription);
  }

  async handle(batch: Batch): Promise<void> {
    const oneByOne = await this.crashes.enter(batch);
    let done = false;
    try {
      let rest = await this.probeIfDue(batch);
      while (rest !== undefined) rest = await this.settleAll(batch, rest, oneByOne);
      done = true;
    } finally {
      await this.crashes.survive(batch, done);
    }
    this.outages.end(batch);
  }

  /** @returns what is to be settled */
  private async probeIfDue(batch: Batch): Promise<readonly ReceivedMessage[] | undefined> {
    const outage = this.outages.takeDueProbe(batch);
    if (outage === undefined) return batch.messages;
    const rest = await this.passSuspects(batch, outage.error);
    if (rest === undefined) throw outage.error;
    return rest;
  }

  /** @returns what is left after messages that only looked like an outage; undefined when everything is settled */
  private async settleAll(
    batch: Batch,
    messages: readonly ReceivedMessage[],
    oneByOne: boolean,
  ): Promise<readonly ReceivedMessage[] | undefined> {
    try {
      if (oneByOne) await this.settleOneByOne(batch, messages);
      else for (const chunk of this.chunks(batch, messages)) await this.settleOrHalve(batch, chunk);
      return undefined;
    } catch (error) {
      const rest = await this.passSuspects(batch, error);
      if (rest === undefined) throw error;
      return rest;
    }
  }

  /** A batch that waits for the end of a pause stops waiting and is not handled. */
  close(): void {
    this.closing.abort();
  }

  private isHandled(message: ReceivedMessage): boolean {
    return this.subscription.routes.has(typeOf(message));
  }

  // Skipped messages cost nothing, so they do not count.
  private *chunks(batch: Batch, messages: readonly ReceivedMessage[]): Generator<readonly ReceivedMessage[]> {
    let [from, handled] = [0, 0];
    for (const [at, message] of messages.entries()) {
      if (!this.isHandled(message)) continue;
      if (handled >= this.outages.atOnce(batch)) {
        yield messages.slice(from, at);
        [from, handled] = [at, 0];
      }
      handled += 1;
    }
    if (from < messages.length) yield messages.slice(from);
  }

  /** @param failing why some messages are to be parked and not handled */
  private async settleOrHalve(
    batch: Batch,
    messages: readonly ReceivedMessage[],
    failing?: Failing,
  ): Promise<void> {
    // The partition is no longer ours: leave it to the next owner. Its epoch would refuse us anyway.
    batch.signal.throwIfAborted();
    try {
      await this.settle(batch, messages, failing);
    } catch (error) {
      if (isPaused(error)) {
        const signal = AbortSignal.any([batch.signal, this.closing.signal]);
        await untilResumed(this.database, this.subscription.name, signal);
        return this.settleOrHalve(batch, messages, failing);
      }
      this.reportFailure(batch, messages, error);
      if (isInfrastructureError(error) || error instanceof TooManyParked) {
        if (!(error instanceof TooManyParked)) this.outages.note(batch, messages, error);
        if (!batch.signal.aborted && !isStaleOwner(error)) await this.stall.report(error);
        throw error;
      }
      // Parking itself failed: nothing smaller can be tried.
      if (failing !== undefined) throw error;
      if (messages.length === 1)
        return this.settleOrHalve(batch, messages, { attempt: failedAttempt(error) });
      const middle = Math.ceil(messages.length / 2);
      await this.settleOrHalve(batch, messages.slice(0, middle));
      await this.settleOrHalve(batch, messages.slice(middle));
    }
  }

  /** @param failing why some messages are to be parked and not handled */
  private async settle(batch: Batch, messages: readonly ReceivedMessage[], failing?: Failing): Promise<void> {
    const classified = messages.map(message => classifyMessage(this.subscription, message));
    const toHandle = classified.filter(item => item.kind === 'handle');
    const { name } = this.subscription;
    const first = messages[0]!.position;
    const last = messages.at(-1)!.position;
    const { counts, handled } = await this.database.transaction(async tx => {
      const opened = await beginBatch(tx, name, batch, first, toHandle);
      this.announce(claimedChannel, batch);
      const due = classified.filter(item => item.message.position > opened.settled);
      const result = await this.work(tx, batch, due, opened, failing);
      if (failing?.needsEvidence && result.handled.length === 0) throw new NoEvidence();
      if (last > opened.settled) {
        // Positions without a message count as skipped: some transports have such gaps.
        const gaps = last - opened.settled - due.length;
        const settled = { ...result.counts, skipped: result.counts.skipped + gaps };
        await advanceProgress(tx, name, batch, last, settled);
      }
      this.announce(handledChannel, batch);
      return result;
    });
    const { topic, partition } = batch;
    noteHandled(
      this.subscription,
      handled.map(({ message }) => typeOf(message)),
    );
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
    failing: Failing | undefined,
  ): Promise<{ counts: BatchCounts; handled: readonly ToHandle[] }> {
    const fresh = takeFresh(due, opened.fresh);
    const taken = new Set(opened.parked);
    const fails = ({ message }: ToHandle) =>
      failing !== undefined && (failing.keys?.has(message.key) ?? true);
    const waits = (item: ToHandle) => fails(item) || taken.has(storable(item.message.key));
    const parked = fresh.filter(waits);
    const free = fresh.filter(item => !waits(item));
    for (const part of segment(free)) await this.invoke(part.route.takesBatch, part.items, tx);
    if (parked.length > 0) await this.checkRoom(tx, parked.length);
    for (const { message } of parked) {
      // The first of its key has failed; the others line up behind it.
      const key = storable(message.key);
      const attempt = taken.has(key) ? undefined : failing?.attempt;
      taken.add(key);
      await this.park(tx, this.placeOf(batch, message), message, attempt);
    }
    const dead = due.filter(item => item.kind === 'dead');
    for (const { message, problem } of dead)
      await this.bury(tx, this.placeOf(batch, message), message, problem);
    const skipped = due.filter(item => item.kind === 'skip').length;
    const duplicate = due.length - fresh.length - dead.length - skipped;
    const counts = { handled: free.length, skipped, duplicate, parked: parked.length, dead: dead.length };
    return { counts, handled: free };
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
      const events = items.map(item => item.event);
      await this.call(items[0]!, () => route.invoke(events, { tx, messages }));
      return;
    }
    for (const item of items) {
      await this.call(item, () => route.invoke(item.event, { tx, messages: [item.message] }));
    }
  }

  private async call(item: ToHandle, invoke: () => Promise<void>): Promise<void> {
    try {
      await runInTrace(traceOf(item), invoke);
    } catch (thrown) {
      throw asError(thrown);
    }
  }

  /** Where a handler has ended its process: one message in a transaction, noted before it is tried. */
  private async settleOneByOne(batch: Batch, messages: readonly ReceivedMessage[]): Promise<void> {
    for (const message of messages) {
      if (this.isHandled(message) && (await this.crashes.attempt(batch, message.position))) {
        const error = new ProcessEnded();
        this.reportFailure(batch, [message], error);
        await this.settleOrHalve(batch, [message], { attempt: failedAttempt(error) });
      } else {
        await this.settleOrHalve(batch, [message]);
      }
    }
  }

  /**
   * Tells an outage from messages that only look like one, because what they need fails for them alone. When a message
   * has failed although it was alone in its transaction, messages of other keys are tried before it. If one goes
   * through, there is no outage: the suspects are parked in the same transaction, and the partition goes on. If it
   * fails, nothing has changed, and more keys are under suspicion in the next round.
   * @returns the messages that are still to be settled; undefined when it may be an outage
   */
  private async passSuspects(batch: Batch, error: unknown): Promise<readonly ReceivedMessage[] | undefined> {
    const outage = this.outages.triedAlone(batch, error);
    if (outage === undefined) return undefined;
    const messages = batch.messages.filter(({ position }) => position >= outage.from);
    const handled = messages.filter(message => this.isHandled(message));
    if (handled.length === 0) return undefined;
    const { suspects, witnesses } = planProbe(handled, outage.triedAlone);
    const attempt = failedAttempt(error);
    if (witnesses.length === 0) {
      // Other partitions give the evidence.
      if (countHandled(this.subscription, outage.type) === outage.handledBefore) return undefined;
      const rest = await this.parkSuspects(batch, messages, messages.length, { attempt, keys: suspects });
      return rest === 'no evidence' ? undefined : rest;
    }
    // Some witnesses say nothing: copies of what was handled, or messages that wait for others. Then more are tried.
    for (let count = 1; ; count *= 2) {
      const at = witnesses[Math.min(count, witnesses.length) - 1]!;
      const size = messages.indexOf(handled[at]!) + 1;
      const failing = { attempt, keys: suspects, needsEvidence: true };
      const rest = await this.parkSuspects(batch, messages, size, failing);
      if (rest !== 'no evidence') return rest;
      if (count >= witnesses.length) return undefined;
    }
  }

  /** Settles the first messages, and parks the suspects among them. @returns the others */
  private async parkSuspects(
    batch: Batch,
    messages: readonly ReceivedMessage[],
    size: number,
    failing: Failing,
  ): Promise<readonly ReceivedMessage[] | 'no evidence' | undefined> {
    const tried = messages.slice(0, size);
    try {
      await this.settle(batch, tried, failing);
    } catch (error) {
      if (error instanceof NoEvidence) return 'no evidence';
      this.reportFailure(batch, tried, error);
      if (isCircuitOpen(error)) this.outages.probeFirst(batch);
      return undefined;
    }
    this.logger.warn(
      `${this.subscription.name}: parked the messages of ${failing.keys?.size} key(s) of ${partitionName(batch)}: ` +
        `they fail while others go through: ${failing.attempt.error}`,
    );
    this.outages.forget(batch);
    return messages.slice(size);
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
