import { setTimeout } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import { isInfrastructureError } from '../consumer/infrastructure-error.js';
import { failedChannel, settledChannel } from '../consumer/signals.js';
import { sortMessage } from '../consumer/sort-message.js';
import type { Subscription } from '../consumer/subscription.js';
import { BURY_PARKED } from '../dead-letter/sql.js';
import { Header } from '../message/envelope.js';
import { runInTrace } from '../message/trace.js';
import { uuidv7 } from '../message/uuid-v7.js';
import type { ReceivedMessage } from '../transport/transport.js';
import { attemptOf, pauseAfter } from './policy.js';
import {
  type Count,
  HOLD,
  MOVE_COUNT,
  NOTE_FAILURE,
  POSTPONE,
  RENEW_RECEIPT,
  TAKE_DUE,
  UNPARK,
} from './sql.js';

export interface RetrierLimits {
  /** How often it looks for what is due, in ms. */
  readonly pollMs: number;
  /** Longest pause while the database is away, in ms. */
  readonly maxBackoffMs: number;
}

interface ParkedRow {
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
  readonly key: string;
  /** JSON. */
  readonly headers: string;
  readonly payload: Buffer;
  readonly appended_at: Date;
  readonly attempts: number;
}

/** How long a message waits whose handler met an outage, in ms; the others of its subscription have their turn. */
const OUTAGE_PAUSE_MS = 1_000;

/** A handler failed; the message is still parked, its attempts are counted. */
class AttemptFailed extends Error {
  constructor(
    readonly row: ParkedRow,
    error: unknown,
    /** It does not fit its contract: no other attempt can mend that. */
    readonly invalid: boolean = false,
  ) {
    super('attempt failed', { cause: error });
  }
}

/**
 * Tries parked messages again: the first of each key when it is due, in one transaction with what its handler
 * writes. Every instance may run one; a message that one has taken, the others pass over.
 */
export class Retrier {
  private readonly logger = new Logger(Retrier.name);
  private readonly stopped = new AbortController();
  private running: Promise<unknown> | undefined;

  constructor(
    private readonly database: DataSource,
    private readonly subscriptions: readonly Subscription[],
    private readonly limits: RetrierLimits,
  ) {}

  start(): void {
    this.running ??= Promise.all(this.subscriptions.map(subscription => this.run(subscription)));
  }

  /** Finishes what is in hand. */
  async stop(): Promise<void> {
    this.stopped.abort();
    await this.running;
  }

  /** A loop for each subscription: a slow handler holds up no other. */
  private async run(subscription: Subscription): Promise<void> {
    for (let failures = 0; !this.stopped.signal.aborted;) {
      try {
        const found = await this.tryNext(subscription);
        failures = 0;
        if (!found) await this.pause(this.limits.pollMs);
      } catch (error) {
        failures += 1;
        const pause = Math.min(100 * 2 ** Math.min(failures, 20), this.limits.maxBackoffMs);
        this.logger.warn(`${subscription.name}: parked messages wait ${pause} ms: ${String(error)}`);
        await this.pause(pause);
      }
    }
  }

  private async pause(ms: number): Promise<void> {
    await setTimeout(ms, undefined, { signal: this.stopped.signal }).catch(() => undefined);
  }

  /** @returns whether there was one */
  private async tryNext(subscription: Subscription): Promise<boolean> {
    try {
      const done = await this.database.transaction(async tx => {
        const [row] = (await tx.query(TAKE_DUE, [subscription.name])) as ParkedRow[];
        return row && { row, count: await this.attempt(subscription, row, tx) };
      });
      if (done !== undefined) this.announce(subscription, done.row, done.count);
      return done !== undefined;
    } catch (error) {
      if (!(error instanceof AttemptFailed)) throw error;
      const { row, cause, invalid } = error;
      const { topic, partition } = row;
      failedChannel.publish({ subscription: subscription.name, topic, partition, size: 1, error: cause });
      if (isInfrastructureError(cause)) await this.postpone(subscription, row, cause);
      else await this.noteFailure(subscription, row, cause, invalid);
      return true;
    }
  }

  private async attempt(subscription: Subscription, row: ParkedRow, tx: EntityManager): Promise<Count> {
    const sorted = sortMessage(subscription, toMessage(row));
    if (sorted.kind === 'dead') throw new AttemptFailed(row, sorted.problem, true);
    if (sorted.kind === 'handle') {
      const { route, event, message } = sorted;
      const data = route.takesBatch ? [event] : event;
      try {
        await runInTrace(message.headers[Header.traceparent], () =>
          route.invoke(data, { tx, messages: [message] }),
        );
      } catch (error) {
        throw new AttemptFailed(row, error);
      }
    }
    const count: Count = sorted.kind === 'handle' ? 'handled' : 'skipped';
    if (sorted.kind === 'handle') await tx.query(RENEW_RECEIPT, [...placeOf(subscription, row), sorted.id]);
    await tx.query(UNPARK, placeOf(subscription, row));
    await tx.query(MOVE_COUNT('parked', count), placeOf(subscription, row).slice(0, 3));
    return count;
  }

  private async postpone(subscription: Subscription, row: ParkedRow, error: unknown): Promise<void> {
    this.logger.warn(
      `${subscription.name}: message at ${row.topic}/${row.partition}:${row.position} waits for an outage: ${String(error)}`,
    );
    await this.database.query(POSTPONE, [...placeOf(subscription, row), OUTAGE_PAUSE_MS / 1_000]);
  }

  private async noteFailure(
    subscription: Subscription,
    row: ParkedRow,
    error: unknown,
    invalid: boolean,
  ): Promise<void> {
    const { name, retry } = subscription;
    const place = placeOf(subscription, row);
    const attempts = await this.database.transaction(async tx => {
      const pause = pauseAfter(row.attempts + 1, retry) / 1_000;
      const [[noted]] = (await tx.query(NOTE_FAILURE, [
        ...place,
        JSON.stringify(attemptOf(error)),
        pause,
      ])) as [{ attempts: number }[]];
      if (noted === undefined || (noted.attempts < retry.attempts && !invalid)) return undefined;
      const hold = retry.onDead === 'hold';
      await tx.query(BURY_PARKED, [...place, uuidv7(), hold, invalid ? 'invalid' : 'failed']);
      if (hold) {
        await tx.query(HOLD, place);
      } else {
        await tx.query(UNPARK, place);
        await tx.query(MOVE_COUNT('parked', 'dead'), place.slice(0, 3));
      }
      return noted.attempts;
    });
    if (attempts === undefined) return;
    this.logger.error(
      `${name}: message at ${row.topic}/${row.partition}:${row.position} is a dead letter after ${attempts} attempt(s): ${String(error)}`,
    );
    if (retry.onDead === 'skip') this.announce(subscription, row, 'dead');
  }

  private announce({ name }: Subscription, { topic, partition, position }: ParkedRow, count: Count): void {
    const none = { handled: 0, skipped: 0, duplicate: 0, parked: 0, dead: 0 };
    settledChannel.publish({ subscription: name, topic, partition, position, ...none, [count]: 1 });
  }
}

function placeOf({ name }: Subscription, { topic, partition, position }: ParkedRow): unknown[] {
  return [name, topic, partition, position];
}

function toMessage({ headers, appended_at, ...row }: ParkedRow): ReceivedMessage {
  return { ...row, headers: JSON.parse(headers) as ReceivedMessage['headers'], appendedAt: appended_at };
}
