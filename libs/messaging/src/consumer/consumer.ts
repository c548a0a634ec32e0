import type { Channel } from 'node:diagnostics_channel';
import { Logger } from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import { BURY_INVALID } from '../dead-letter/sql.js';
import { BEGIN_BATCH, END_BATCH } from '../inbox/sql.js';
import { Header } from '../message/envelope.js';
import { runInTrace } from '../message/trace.js';
import { uuidv7 } from '../message/uuid-v7.js';
import { accountOf, type Attempt, attemptOf, pauseAfter } from '../retry/policy.js';
import { COUNT_PARKED, PARK } from '../retry/sql.js';
import type { Batch, ReceivedMessage } from '../transport/transport.js';
import { isInfrastructureError, isStaleOwner } from './infrastructure-error.js';
import { isPaused, untilResumed } from './pause.js';
import { claimedChannel, failedChannel, handledChannel, settledChannel, type StepSignal } from './signals.js';
import { segment, sortMessage, type Sorted, storable, type ToHandle } from './sort-message.js';
import type { Subscription } from './subscription.js';
import { Waiting } from './waiting.js';

interface Opened {
  readonly settled: string;
  readonly fresh: readonly string[];
  readonly parked: readonly string[];
}

interface Counts {
  readonly handled: number;
  readonly skipped: number;
  readonly duplicate: number;
  readonly parked: number;
  readonly dead: number;
}

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
  private readonly waiting: Waiting;
  /** Messages in one transaction: fewer after an outage, more again with each batch that goes well. */
  private atOnce: number;

  constructor(
    private readonly subscription: Subscription,
    private readonly database: DataSource,
    /** Most messages parked at a time. */
    private readonly maxParked: number = Infinity,
  ) {
    this.waiting = new Waiting(database, subscription.name);
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
        if (!batch.signal.aborted && !isStaleOwner(error)) await this.waiting.note(error);
        throw error;
      }
      const [message] = messages;
      if (message !== undefined && messages.length === 1) {
        await this.settle(batch, messages, attemptOf(error));
        return;
      }
      const middle = Math.ceil(messages.length / 2);
      await this.settleOrHalve(batch, messages.slice(0, middle));
      await this.settleOrHalve(batch, messages.slice(middle));
    }
  }

  /** @param failed why the message, alone, is to be parked and not handled */
  private async settle(batch: Batch, messages: readonly ReceivedMessage[], failed?: Attempt): Promise<void> {
    const sorted = messages.map(message => sortMessage(this.subscription, message));
    const toHandle = sorted.filter(item => item.kind === 'handle');
    const last = messages.at(-1)!.position;
    const counts = await this.database.transaction(async tx => {
      const opened = await this.begin(tx, batch, messages[0]!.position, toHandle);
      this.announce(claimedChannel, batch);
      const settled = Number(opened.settled);
      const due = sorted.filter(item => item.message.position > settled);
      const result = await this.work(tx, batch, due, opened, failed);
      if (last > settled) await this.advance(tx, batch, last, last - settled - due.length, result);
      this.announce(handledChannel, batch);
      return result;
    });
    const { name } = this.subscription;
    const { topic, partition } = batch;
    settledChannel.publish({ subscription: name, topic, partition, position: last, ...counts });
    await this.waiting.clear();
  }

  private announce(step: Channel, { topic, partition }: Batch): void {
    step.publish({ subscription: this.subscription.name, topic, partition } satisfies StepSignal);
  }

  private async work(
    tx: EntityManager,
    batch: Batch,
    due: readonly Sorted[],
    opened: Opened,
    failed: Attempt | undefined,
  ): Promise<Counts> {
    const fresh = takeFresh(due, new Set(opened.fresh));
    const taken = new Set(opened.parked);
    const waits = (item: ToHandle) => failed !== undefined || taken.has(storable(item.message.key));
    const parked = fresh.filter(waits);
    const free = fresh.filter(item => !waits(item));
    for (const part of segment(free)) await this.invoke(part.route.takesBatch, part.items, tx);
    if (parked.length > 0) await this.checkRoom(tx, parked.length);
    for (const item of parked) await this.park(tx, batch, item.message, failed);
    const dead = due.filter(item => item.kind === 'dead');
    for (const item of dead) await this.bury(tx, batch, item.message, item.problem);
    const skipped = due.filter(item => item.kind === 'skip').length;
    const duplicate = due.length - fresh.length - dead.length - skipped;
    return { handled: free.length, skipped, duplicate, parked: parked.length, dead: dead.length };
  }

  /** @param gaps positions that no message had: some transports have them. They count as skipped. */
  private async advance(
    tx: EntityManager,
    { topic, partition }: Batch,
    last: number,
    gaps: number,
    { handled, skipped, duplicate, parked, dead }: Counts,
  ): Promise<void> {
    const where = [this.subscription.name, topic, partition];
    await tx.query(END_BATCH, [...where, last, handled, skipped + gaps, duplicate, parked, dead]);
  }

  /** @throws TooManyParked */
  private async checkRoom(tx: EntityManager, wanted: number): Promise<void> {
    const { name } = this.subscription;
    const [{ count }] = (await tx.query(COUNT_PARKED, [name])) as [{ count: number }];
    // A batch is let in as long as there is any room: it must not wait for ever because it is large.
    if (count > 0 && count + wanted > this.maxParked) throw new TooManyParked(name, this.maxParked);
  }

  /** Sets a message aside for the retrier: one that failed, or one whose key waits for another that did. */
  private async park(
    tx: EntityManager,
    batch: Batch,
    { position, key, headers, payload, appendedAt }: ReceivedMessage,
    failed: Attempt | undefined,
  ): Promise<void> {
    const { name, retry } = this.subscription;
    const place = [name, batch.topic, batch.partition, position];
    const message = [storable(key), JSON.stringify(headers), payload, appendedAt];
    const attempts =
      failed === undefined ? [0, '[]', 0] : [1, JSON.stringify([failed]), pauseAfter(1, retry) / 1_000];
    await tx.query(PARK, [...place, ...message, ...attempts]);
  }

  private async begin(
    tx: EntityManager,
    batch: Batch,
    first: number,
    items: readonly ToHandle[],
  ): Promise<Opened> {
    const [opened] = (await tx.query(BEGIN_BATCH, [
      this.subscription.name,
      batch.topic,
      batch.partition,
      batch.epoch,
      first,
      items.map(item => item.id),
      items.map(item => item.message.position),
      items.map(({ message }) => storable(message.headers[Header.source] ?? '')),
      items.map(({ message }) => storable(message.key)),
      items.map(({ message }) => sequenceOf(message)),
    ])) as [Opened];
    return opened;
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

  /** Sets a message aside that no retry can mend. It keeps everything it came with. */
  private async bury(
    tx: EntityManager,
    batch: Batch,
    message: ReceivedMessage,
    problem: string,
  ): Promise<void> {
    const { name } = this.subscription;
    const { position, key, headers, payload, appendedAt } = message;
    const errors = JSON.stringify([attemptOf(problem)]);
    const place = [name, batch.topic, batch.partition, position];
    const whole = [storable(key), JSON.stringify(headers), payload, appendedAt, errors];
    await tx.query(BURY_INVALID, [uuidv7(), ...place, ...whole]);
    this.logger.error(
      `${name}: message at ${batch.topic}/${batch.partition}:${position} is a dead letter: ${problem}`,
    );
  }

  private reportFailure(batch: Batch, messages: readonly ReceivedMessage[], error: unknown): void {
    const { name } = this.subscription;
    const { topic, partition } = batch;
    const place = `${topic}/${partition}:${messages[0]!.position}`;
    const reason = accountOf(error);
    this.logger.warn(`${name}: ${messages.length} message(s) from ${place} failed: ${reason}`);
    failedChannel.publish({ subscription: name, topic, partition, size: messages.length, error });
  }
}

/** The messages to handle: each id once, even when a batch has it twice. */
function takeFresh(due: readonly Sorted[], fresh: Set<string>): ToHandle[] {
  return due.filter(item => item.kind === 'handle').filter(item => fresh.delete(item.id));
}

/** Null for what its source does not count, or in a way that is not ours. */
function sequenceOf(message: ReceivedMessage): string | null {
  const sequence = message.headers[Header.sequence];
  return sequence !== undefined && /^0?\d{1,18}$/.test(sequence) ? sequence : null;
}

function traceOf(item: ToHandle): string | undefined {
  return item.message.headers[Header.traceparent];
}
