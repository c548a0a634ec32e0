import { Logger } from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import { INSERT_DEAD_LETTER } from '../dead-letter/sql.js';
import { BEGIN_BATCH, END_BATCH } from '../inbox/sql.js';
import { Header } from '../message/envelope.js';
import { runInTrace } from '../message/trace.js';
import { uuidv7 } from '../message/uuid-v7.js';
import type { Batch, ReceivedMessage } from '../transport/transport.js';
import { isInfrastructureError } from './infrastructure-error.js';
import { failedChannel, settledChannel } from './signals.js';
import { segment, sortMessage, type Sorted, type ToHandle } from './sort-message.js';
import type { Subscription } from './subscription.js';

interface Opened {
  readonly settled: string;
  readonly fresh: readonly string[];
}

/**
 * Settles batches: receipts, the handlers' writes and what they publish in one transaction.
 *
 * A failing batch is halved until the failing message is alone; what came before it stays done. It then
 * rejects, and the transport brings the rest again.
 */
export class Consumer {
  private readonly logger = new Logger(Consumer.name);

  constructor(
    private readonly subscription: Subscription,
    private readonly database: DataSource,
  ) {}

  async handle(batch: Batch): Promise<void> {
    for (const chunk of this.chunks(batch.messages)) await this.settleOrHalve(batch, chunk);
  }

  // What is only passed over costs nothing, so it does not count.
  private *chunks(messages: readonly ReceivedMessage[]): Generator<readonly ReceivedMessage[]> {
    let [from, handled] = [0, 0];
    for (const [at, { headers }] of messages.entries()) {
      if (!this.subscription.routes.has(headers[Header.type] ?? '')) continue;
      if (handled === this.subscription.batch) {
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
      this.reportFailure(batch, messages, error);
      if (messages.length === 1 || isInfrastructureError(error)) throw error;
      const middle = Math.ceil(messages.length / 2);
      await this.settleOrHalve(batch, messages.slice(0, middle));
      await this.settleOrHalve(batch, messages.slice(middle));
    }
  }

  private async settle(batch: Batch, messages: readonly ReceivedMessage[]): Promise<void> {
    const sorted = messages.map(message => sortMessage(this.subscription, message));
    const toHandle = sorted.filter(item => item.kind === 'handle');
    const last = messages.at(-1)!.position;

    const counts = await this.database.transaction(async tx => {
      const opened = await this.begin(tx, batch, messages[0]!.position, toHandle);
      const settled = Number(opened.settled);
      const due = sorted.filter(item => item.message.position > settled);
      const fresh = takeFresh(due, new Set(opened.fresh));
      for (const part of segment(fresh)) await this.invoke(part.route.takesBatch, part.items, tx);
      const dead = due.filter(item => item.kind === 'dead');
      for (const item of dead) await this.bury(tx, batch, item.message, item.problem);
      const skipped = due.filter(item => item.kind === 'skip').length;
      const duplicate = due.length - fresh.length - dead.length - skipped;
      const result = { handled: fresh.length, skipped, duplicate, dead: dead.length };
      if (last > settled) {
        const { name } = this.subscription;
        const where = [name, batch.topic, batch.partition];
        // Positions may have gaps on some transports: what was passed over there counts as skipped.
        const gaps = last - settled - due.length;
        await tx.query(END_BATCH, [...where, last, result.handled, skipped + gaps, duplicate, result.dead]);
      }
      return result;
    });

    const { name } = this.subscription;
    settledChannel.publish({
      subscription: name,
      topic: batch.topic,
      partition: batch.partition,
      position: last,
      ...counts,
    });
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
      items.map(({ message }) => `${message.headers[Header.source]}\x1f${message.topic}\x1f${message.key}`),
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
    const { position, key, headers, payload } = message;
    await tx.query(INSERT_DEAD_LETTER, [
      uuidv7(),
      name,
      batch.topic,
      batch.partition,
      position,
      key.replaceAll('\0', '\uFFFD'),
      JSON.stringify(headers),
      payload,
      'invalid',
      problem.replaceAll('\0', '\uFFFD'),
    ]);
    this.logger.error(
      `${name}: message at ${batch.topic}/${batch.partition}:${position} is a dead letter: ${problem}`,
    );
  }

  private reportFailure(batch: Batch, messages: readonly ReceivedMessage[], error: unknown): void {
    const { name } = this.subscription;
    const { topic, partition } = batch;
    const place = `${topic}/${partition}:${messages[0]!.position}`;
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
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
