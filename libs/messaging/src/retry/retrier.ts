import { setTimeout } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import { isInfrastructureError } from '../consumer/infrastructure-error.js';
import {
  claimedChannel,
  failedChannel,
  handledChannel,
  settledChannel,
  type StepSignal,
} from '../consumer/signals.js';
import { sortMessage, storable } from '../consumer/sort-message.js';
import type { Subscription } from '../consumer/subscription.js';
import { Waiting } from '../consumer/waiting.js';
import { BURY_PARKED } from '../dead-letter/sql.js';
import { Header } from '../message/envelope.js';
import { runInTrace } from '../message/trace.js';
import { uuidv7 } from '../message/uuid-v7.js';
import type { ReceivedMessage } from '../transport/transport.js';
import { accountOf, attemptOf, pauseAfter } from './policy.js';
import {
  GIVE_UP_RECEIPT,
  HOLD,
  LOCK_KEY,
  NOTE_FAILURE,
  NOTE_OUTCOME,
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

/** It does not fit its contract: no other attempt can mend that. */
class Invalid extends Error {}

/**
 * Tries parked messages again: the first of each key when it is due, in one transaction with what its handler
 * writes. Every instance may run one; a message that one has taken, the others pass over.
 */
export class Retrier {
  private readonly logger = new Logger(Retrier.name);
  private readonly stopped = new AbortController();
  private readonly waiting: ReadonlyMap<Subscription, Waiting>;
  private running: Promise<unknown> | undefined;

  constructor(
    private readonly database: DataSource,
    private readonly subscriptions: readonly Subscription[],
    private readonly limits: RetrierLimits,
  ) {
    this.waiting = new Map(subscriptions.map(each => [each, new Waiting(database, each.name)]));
  }

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
        this.logger.warn(`${subscription.name}: parked messages wait ${pause} ms: ${accountOf(error)}`);
        await this.pause(pause);
      }
    }
  }

  private async pause(ms: number): Promise<void> {
    await setTimeout(ms, undefined, { signal: this.stopped.signal }).catch(() => undefined);
  }

  /** @returns whether there was one */
  private async tryNext(subscription: Subscription): Promise<boolean> {
    let row: ParkedRow | undefined;
    try {
      await this.database.transaction(async tx => {
        [row] = (await tx.query(TAKE_DUE, [subscription.name])) as ParkedRow[];
        if (row !== undefined) await this.attempt(subscription, row, tx);
      });
    } catch (error) {
      if (row === undefined) throw error;
      await this.fail(subscription, row, error);
      return true;
    }
    if (row !== undefined) {
      this.announce(subscription, row, 'handled');
      await this.waiting.get(subscription)?.clear();
    }
    return row !== undefined;
  }

  private async attempt(subscription: Subscription, row: ParkedRow, tx: EntityManager): Promise<void> {
    const place = placeOf(subscription, row);
    await tx.query(LOCK_KEY, [subscription.name, row.topic, row.key]);
    const sorted = sortMessage(subscription, toMessage(row));
    if (sorted.kind === 'dead') throw new Invalid(sorted.problem);
    // Another version of this service may have one: it is tried there, or is a dead letter in the end.
    if (sorted.kind === 'skip') throw new Error('this instance has no handler for its type');
    const { id, route, event, message } = sorted;
    const step: StepSignal = { subscription: subscription.name, topic: row.topic, partition: row.partition };
    claimedChannel.publish(step);
    const data = route.takesBatch ? [event] : event;
    await runInTrace(message.headers[Header.traceparent], () =>
      route.invoke(data, { tx, messages: [message] }),
    );
    await tx.query(RENEW_RECEIPT, [...place, id]);
    await tx.query(UNPARK, place);
    await tx.query(NOTE_OUTCOME, [...place.slice(0, 3), 'parked', 'handled']);
    handledChannel.publish(step);
  }

  /** Nothing of the attempt is left; the message is still parked. */
  private async fail(subscription: Subscription, row: ParkedRow, error: unknown): Promise<void> {
    const { topic, partition } = row;
    failedChannel.publish({ subscription: subscription.name, topic, partition, size: 1, error });
    // Paused since it was looked for, or stopped by an outage.
    if (isInfrastructureError(error)) await this.postpone(subscription, row, error);
    else await this.noteFailure(subscription, row, error, error instanceof Invalid);
  }

  private async postpone(subscription: Subscription, row: ParkedRow, error: unknown): Promise<void> {
    this.logger.warn(
      `${subscription.name}: message at ${row.topic}/${row.partition}:${row.position} waits for an outage: ${accountOf(error)}`,
    );
    await this.waiting.get(subscription)?.note(error);
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
      const id = toMessage(row).headers[Header.id];
      // A copy that does parse one day is then no duplicate of this.
      if (invalid && id !== undefined) await tx.query(GIVE_UP_RECEIPT, [name, storable(id)]);
      await tx.query(BURY_PARKED, [...place, uuidv7(), hold, invalid ? 'invalid' : 'failed']);
      if (hold) {
        await tx.query(HOLD, place);
      } else {
        await tx.query(UNPARK, place);
        await tx.query(NOTE_OUTCOME, [...place.slice(0, 3), 'parked', 'dead']);
      }
      return noted.attempts;
    });
    // Its handler was called and answered: the world is there.
    await this.waiting.get(subscription)?.clear();
    if (attempts === undefined) return;
    this.logger.error(
      `${name}: message at ${row.topic}/${row.partition}:${row.position} is a dead letter after ${attempts} attempt(s): ${accountOf(error)}`,
    );
    if (retry.onDead === 'skip') this.announce(subscription, row, 'dead');
  }

  private announce(
    { name }: Subscription,
    { topic, partition, position }: ParkedRow,
    count: 'handled' | 'dead',
  ): void {
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
