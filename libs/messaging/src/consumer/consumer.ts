import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { partitionName, type ReceivedMessage, typeOf } from '../message/received-message.js';
import { failedAttempt } from '../parking/retry-policy.js';
import { describeError } from '../runtime/describe-error.js';
import { isCircuitOpen, isInfrastructureError, isStaleOwner } from '../runtime/infrastructure-error.js';
import { guardConnections } from '../runtime/guard-connections.js';
import type { Batch } from '../transport/transport.js';
import { CrashGuard, ProcessEnded } from './crash-guard.js';
import { countHandled } from './handled-types.js';
import { planProbe } from './outage-probe.js';
import { PartitionOutages } from './partition-outages.js';
import { isPaused, untilResumed } from './pause.js';
import {
  type ConsumerLimits,
  DEFAULT_CONSUMER_LIMITS,
  type Failing,
  NoEvidence,
  Settlement,
  TooManyParked,
} from './settlement.js';
import { failedChannel } from './signals.js';
import type { Subscription } from './subscription.js';
import { SubscriptionStall } from './subscription-stall.js';

/**
 * Decides which messages of a batch are tried in which transaction (`Settlement`).
 *
 * A failing batch is halved until the failing message is alone; what came before it stays done. That message
 * is parked and retried later. Later messages of its key line up behind it; everything else goes on.
 * An infrastructure error parks nothing: the batch is rejected, and the transport delivers it again.
 * Fewer messages are then tried at once, so that a partly available dependency gets through as much as it can.
 */
export class Consumer {
  private readonly logger = new Logger(Consumer.name);
  private readonly closing = new AbortController();
  private readonly stall: SubscriptionStall;
  private readonly crashes: CrashGuard;
  private readonly outages: PartitionOutages;
  private readonly settlement: Settlement;

  constructor(
    private readonly subscription: Subscription,
    private readonly database: DataSource,
    limits: ConsumerLimits = DEFAULT_CONSUMER_LIMITS,
  ) {
    guardConnections(database);
    this.stall = new SubscriptionStall(database, subscription.name);
    this.crashes = new CrashGuard(database, subscription.name);
    this.outages = new PartitionOutages(subscription);
    this.settlement = new Settlement(subscription, database, limits);
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

  private async settle(batch: Batch, messages: readonly ReceivedMessage[], failing?: Failing): Promise<void> {
    await this.settlement.settle(batch, messages, failing);
    await this.stall.clear();
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

  private reportFailure(batch: Batch, messages: readonly ReceivedMessage[], error: unknown): void {
    const { name } = this.subscription;
    const { topic, partition } = batch;
    const place = `${topic}/${partition}:${messages[0]!.position}`;
    const reason = describeError(error);
    this.logger.warn(`${name}: ${messages.length} message(s) from ${place} failed: ${reason}`);
    failedChannel.publish({ subscription: name, topic, partition, size: messages.length, error });
  }
}
