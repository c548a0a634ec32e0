import type { Channel } from 'node:diagnostics_channel';
import { Logger } from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import { partitionName, type ReceivedMessage, typeOf } from '../message/received-message.js';
import { bury } from '../parking/dead-letter-store.js';
import { countParked, park, type ToPark } from '../parking/parked-messages.js';
import { type Place, storable } from '../parking/place.js';
import type { FailedAttempt } from '../parking/retry-policy.js';
import { pauseAfter } from '../runtime/backoff.js';
import type { Batch } from '../transport/transport.js';
import { type Classified, classifyMessage, isKeyed, type ToHandle } from './classify-message.js';
import { noteHandled } from './handled-types.js';
import { beginBatch, type OpenedBatch } from './inbox.js';
import { invokeHandlers } from './invoke-handlers.js';
import { advanceProgress, type BatchCounts } from './progress.js';
import { claimedChannel, handledChannel, settledChannel, type StepSignal } from './signals.js';
import type { Subscription } from './subscription.js';

export interface ConsumerLimits {
  /** Most messages that the subscription may have parked at a time; beyond that it waits. */
  readonly parked: number;
}

export const DEFAULT_CONSUMER_LIMITS: ConsumerLimits = { parked: 10_000 };

/** Too many messages are parked: more must be wrong than a few messages. The subscription waits. */
export class TooManyParked extends Error {
  constructor(subscription: string, limit: number) {
    super(
      `${subscription} has ${limit} messages parked and accepts no more until some are handled; ` +
        'see GET /api/admin/messaging/subscriptions and the log for the reasons',
    );
  }
}

/** Nothing was handled that could show whether there is an outage. */
export class NoEvidence extends Error {
  constructor() {
    super('no other message could be tried');
  }
}

/** Messages that are to be parked as failed: those of some keys, or all. */
export interface Failing {
  readonly attempt: FailedAttempt;
  readonly keys?: ReadonlySet<string>;
  /** Whether something else must be handled in the same transaction. */
  readonly needsEvidence?: boolean;
}

/**
 * Settles messages in one transaction: receipts, the handlers' writes, what they publish, and what is parked or given
 * up. All of it is committed, or nothing.
 */
export class Settlement {
  private readonly logger = new Logger('Consumer');

  constructor(
    private readonly subscription: Subscription,
    private readonly database: DataSource,
    private readonly limits: ConsumerLimits,
  ) {}

  /**
   * @param failing why some messages are to be parked and not handled
   * @throws TooManyParked, NoEvidence, what a handler throws, and what the database does
   */
  async settle(batch: Batch, messages: readonly ReceivedMessage[], failing?: Failing): Promise<void> {
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
        // Positions that never had a message count as skipped: some transports have such gaps.
        const gaps = last - opened.settled - due.length;
        const lost = Math.min(gaps, countLost(batch, opened.settled, last));
        const settled = { ...result.counts, skipped: result.counts.skipped + gaps - lost, lost };
        if (lost > 0)
          this.logger.error(`${name}: the queue has lost ${lost} message(s) of ${partitionName(batch)}`);
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
    const dead = due.filter(item => item.kind === 'dead');
    const held =
      this.subscription.retry.onDead === 'hold' ? dead.filter(({ message }) => isKeyed(message)) : [];
    const waits = (item: ToHandle) =>
      fails(item) || taken.has(storable(item.message.key)) || isBehind(item.message, held);
    const parked = fresh.filter(waits);
    const free = fresh.filter(item => !waits(item));
    await invokeHandlers(this.subscription, free, tx);
    if (parked.length + held.length > 0) {
      await this.checkRoom(tx, parked.length + held.length);
      const toHold = held.map(({ message }): ToPark => ({ message, failure: undefined, held: true }));
      const all = [...toHold, ...this.toPark(parked, taken, failing, held)];
      await park(tx, this.subscription.name, batch, all);
    }
    for (const item of dead) await this.bury(tx, batch, item, held.includes(item));
    const skipped = due.filter(item => item.kind === 'skip').length;
    const duplicate = due.length - fresh.length - dead.length - skipped;
    const counts = {
      handled: free.length,
      skipped,
      duplicate,
      // A dead letter whose key waits for an operator stays parked.
      parked: parked.length + held.length,
      dead: dead.length - held.length,
      lost: 0,
    };
    return { counts, handled: free };
  }

  private placeOf({ topic, partition }: Batch, { position }: ReceivedMessage): Place {
    return { subscription: this.subscription.name, topic, partition, position };
  }

  /** The first of a key has failed; the others line up behind it. */
  private toPark(
    items: readonly ToHandle[],
    blocked: ReadonlySet<string>,
    failing: Failing | undefined,
    held: readonly Dead[],
  ): ToPark[] {
    const taken = new Set(blocked);
    const failure = failing && { attempt: failing.attempt, pauseMs: pauseAfter(1, this.subscription.retry) };
    return items.map(({ message }) => {
      const key = storable(message.key);
      const isFirst = !taken.has(key) && !isBehind(message, held);
      taken.add(key);
      return { message, failure: isFirst ? failure : undefined };
    });
  }

  /** @throws TooManyParked */
  private async checkRoom(tx: EntityManager, wanted: number): Promise<void> {
    const { name } = this.subscription;
    const count = await countParked(tx, name, Math.min(this.limits.parked, Number.MAX_SAFE_INTEGER));
    // A batch larger than the limit is let in when nothing is parked: it must not wait forever.
    if (count > 0 && count + wanted > this.limits.parked) throw new TooManyParked(name, this.limits.parked);
  }

  /** Gives up a message that no retry can help. Its dead letter keeps everything that it came with. */
  private async bury(
    tx: EntityManager,
    batch: Batch,
    { message, problem }: Dead,
    holdsKey: boolean,
  ): Promise<void> {
    const place = this.placeOf(batch, message);
    await bury(tx, place, message, problem, { holdsKey });
    const { subscription, topic, partition, position } = place;
    this.logger.error(
      `${subscription}: message at ${topic}/${partition}:${position} is a dead letter: ${problem}`,
    );
  }
}

type Dead = Extract<Classified, { kind: 'dead' }>;

/** Whether the message comes after a held one of its key. */
function isBehind({ key, position }: ReceivedMessage, held: readonly Dead[]): boolean {
  return held.some(({ message }) => message.key === key && message.position < position);
}

/** How many positions after one, and up to another, are known to be lost. */
function countLost({ lost = [] }: Batch, after: number, last: number): number {
  return lost.reduce(
    (count, { from, to }) => count + Math.max(0, Math.min(to, last) - Math.max(from, after + 1) + 1),
    0,
  );
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
