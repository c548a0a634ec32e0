import { Logger } from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import { Header } from '../message/envelope.js';
import { partitionName, typeOf } from '../message/received-message.js';
import { runInTrace } from '../message/trace.js';
import { buryParked } from '../parking/dead-letter-store.js';
import {
  claim,
  giveBack,
  hold,
  lock,
  lockKey,
  noteFailure,
  type ParkedMessage,
  postpone,
  unpark,
} from '../parking/parked-messages.js';
import { failedAttempt } from '../parking/retry-policy.js';
import { BackgroundTask } from '../runtime/background-task.js';
import { pauseAfter } from '../runtime/backoff.js';
import { asError, describeError } from '../runtime/describe-error.js';
import { isInfrastructureError } from '../runtime/infrastructure-error.js';
import { reportUnavailable } from '../runtime/report-unavailable.js';
import { classifyMessage } from './classify-message.js';
import { ProcessEnded } from './crash-guard.js';
import { countHandled, noteHandled } from './handled-types.js';
import { dropReceipt, renewReceipt } from './inbox.js';
import { claimedChannel, failedChannel, handledChannel, settledChannel, type StepSignal } from './signals.js';
import type { Subscription } from './subscription.js';
import { SubscriptionStall } from './subscription-stall.js';

export interface RetrierLimits {
  /** How often it looks for what is due, in ms. */
  readonly pollMs: number;
  /** Longest pause while the database is unavailable, in ms. */
  readonly maxBackoffMs: number;
}

export const DEFAULT_RETRIER_LIMITS: RetrierLimits = { pollMs: 250, maxBackoffMs: 5_000 };

/** The pause after the first failure of the database, in ms. */
const FIRST_BACKOFF_MS = 200;

/**
 * How long a message waits after its handler met an outage, in ms. Others of its subscription have their
 * turn.
 */
const OUTAGE_PAUSE_MS = 1_000;

/** The message does not match its contract: no retry can help. */
class Invalid extends Error {}

/** What became of an attempt. */
type Result =
  | { readonly kind: 'handled' }
  | { readonly kind: 'postponed' | 'failed'; readonly error: unknown }
  | { readonly kind: 'dead'; readonly error: unknown; readonly attempts: number };

/** Most messages of which it is remembered how their last attempt ended. */
const MOST_REMEMBERED = 10_000;

/**
 * Retries parked messages: the first of each key when it is due, in one transaction with its handler's
 * writes. Every instance may run a retrier: each skips the messages that another has locked.
 */
export class Retrier {
  private readonly logger = new Logger(Retrier.name);
  private readonly stalls: ReadonlyMap<Subscription, SubscriptionStall>;
  /** One task per subscription: a slow handler delays no other. */
  private readonly tasks: readonly BackgroundTask[];
  /** Messages that met an outage, and how many others their subscription had handled by then. */
  private readonly outages = new Map<string, number>();
  /** Messages whose attempt ended here without its result being recorded. */
  private readonly unrecorded = new Set<string>();

  constructor(
    private readonly database: DataSource,
    subscriptions: readonly Subscription[],
    { pollMs, maxBackoffMs }: RetrierLimits = DEFAULT_RETRIER_LIMITS,
  ) {
    reportUnavailable(database);
    this.stalls = new Map(subscriptions.map(each => [each, new SubscriptionStall(database, each.name)]));
    this.tasks = subscriptions.map(
      subscription =>
        new BackgroundTask(async () => ((await this.tryNext(subscription)) ? 0 : pollMs), {
          backoff: { firstMs: FIRST_BACKOFF_MS, longestMs: maxBackoffMs },
          onError: (error, pauseMs) =>
            this.logger.warn(
              `${subscription.name}: retrying parked messages in ${pauseMs} ms: ${describeError(error)}`,
            ),
        }),
    );
  }

  start(): void {
    for (const task of this.tasks) task.start();
  }

  /** Finishes the attempts in progress. */
  async stop(): Promise<void> {
    await Promise.all(this.tasks.map(task => task.stop()));
  }

  /** @returns whether there was one */
  private async tryNext(subscription: Subscription): Promise<boolean> {
    const parked = await claim(this.database, subscription.name);
    if (parked === undefined) return false;
    const key = keyOf(parked);
    if (parked.unfinished && !this.unrecorded.has(key)) {
      const ended = new ProcessEnded();
      await this.tell(subscription, parked, await this.recordApart(subscription, parked, ended));
      return true;
    }
    remember(this.unrecorded, key);
    const result = await this.tryOnce(subscription, parked);
    if (result === 'not tried') await giveBack(this.database, parked.place);
    this.unrecorded.delete(key);
    if (result !== 'not tried') await this.tell(subscription, parked, result);
    return true;
  }

  /**
   * One transaction with the handler. Its failure is recorded in the same transaction, so that the message stays
   * locked until then and nobody takes it for one whose process ended.
   */
  private async tryOnce(subscription: Subscription, parked: ParkedMessage): Promise<Result | 'not tried'> {
    try {
      return await this.database.transaction(async tx => {
        if (!(await lock(tx, parked.place))) return 'not tried';
        await tx.query('SAVEPOINT attempt');
        try {
          await this.attempt(subscription, parked, tx);
        } catch (error) {
          await tx.query('ROLLBACK TO SAVEPOINT attempt');
          return this.record(tx, subscription, parked, error);
        }
        return { kind: 'handled' };
      });
    } catch (error) {
      // The transaction was lost with its connection, or it could not be committed.
      return this.recordApart(subscription, parked, error);
    }
  }

  private async attempt(subscription: Subscription, parked: ParkedMessage, tx: EntityManager): Promise<void> {
    await lockKey(tx, parked);
    const { place } = parked;
    const classified = classifyMessage(subscription, parked.message);
    if (classified.kind === 'dead') throw new Invalid(classified.problem);
    // Another version of this service may have one: the message is tried there, or ends as a dead letter.
    if (classified.kind === 'skip') throw new Error('this instance has no handler for its type');
    const { id, route, event, message } = classified;
    const step: StepSignal = {
      subscription: place.subscription,
      topic: place.topic,
      partition: place.partition,
    };
    claimedChannel.publish(step);
    const data = route.takesBatch ? [event] : event;
    try {
      await runInTrace(message.headers[Header.traceparent], () =>
        route.invoke(data, { tx, messages: [message] }),
      );
    } catch (thrown) {
      throw asError(thrown);
    }
    await renewReceipt(tx, place, id);
    await unpark(tx, place, 'handled');
    handledChannel.publish(step);
  }

  private recordApart(subscription: Subscription, parked: ParkedMessage, error: unknown): Promise<Result> {
    return this.database.transaction(tx => this.record(tx, subscription, parked, error));
  }

  /** Records a failed attempt. The handler's writes are rolled back; the message is still parked. */
  private async record(
    tx: EntityManager,
    subscription: Subscription,
    parked: ParkedMessage,
    error: unknown,
  ): Promise<Result> {
    const { name, retry } = subscription;
    const { place, message } = parked;
    const isTransient = isInfrastructureError(error);
    if (isTransient && this.isOutage(subscription, parked)) {
      await postpone(tx, place, OUTAGE_PAUSE_MS);
      return { kind: 'postponed', error };
    }
    const invalid = error instanceof Invalid;
    // What looks like an outage may be one of which others feel nothing: it gets the most time there is.
    const pauseMs = isTransient ? retry.longestMs : pauseAfter(parked.attempts + 1, retry);
    const attempts = await noteFailure(tx, place, { attempt: failedAttempt(error), pauseMs });
    if (attempts === undefined || (attempts < retry.attempts && !invalid)) return { kind: 'failed', error };
    const id = message.headers[Header.id];
    if (invalid && id !== undefined) await dropReceipt(tx, name, id);
    const holdsKey = retry.onDead === 'hold';
    await buryParked(tx, place, invalid ? 'invalid' : 'failed', holdsKey);
    if (holdsKey) await hold(tx, place);
    else await unpark(tx, place, 'dead');
    return { kind: 'dead', error, attempts };
  }

  /** Not an outage after all when others of its type were handled here since this one met it before. */
  private isOutage(subscription: Subscription, parked: ParkedMessage): boolean {
    const handled = countHandled(subscription, typeOf(parked.message));
    const key = keyOf(parked);
    const before = this.outages.get(key);
    if (this.outages.size >= MOST_REMEMBERED) this.outages.clear();
    this.outages.set(key, handled);
    return before === undefined || handled <= before;
  }

  /** Tells what became of an attempt, once that is committed. */
  private async tell(subscription: Subscription, parked: ParkedMessage, result: Result): Promise<void> {
    const { name, retry } = subscription;
    const { topic, partition, position } = parked.place;
    const stall = this.stalls.get(subscription);
    const place = `${topic}/${partition}:${position}`;
    if (result.kind === 'handled') {
      noteHandled(subscription, [typeOf(parked.message)]);
      this.announce(parked, 'handled');
    } else {
      const { error } = result;
      failedChannel.publish({ subscription: name, topic, partition, size: 1, error });
      if (result.kind === 'postponed') {
        this.logger.warn(`${name}: message at ${place} waits for an outage to end: ${describeError(error)}`);
        await stall?.report(error);
        return;
      }
    }
    // It was handled, or it failed for itself: there is no outage.
    await stall?.clear();
    if (result.kind !== 'failed') this.outages.delete(keyOf(parked));
    if (result.kind !== 'dead') return;
    this.logger.error(
      `${name}: message at ${place} is a dead letter after ${result.attempts} attempt(s): ${describeError(result.error)}`,
    );
    if (retry.onDead === 'skip') this.announce(parked, 'dead');
  }

  private announce({ place }: ParkedMessage, count: 'handled' | 'dead'): void {
    const none = { handled: 0, skipped: 0, duplicate: 0, parked: 0, dead: 0 };
    settledChannel.publish({ ...place, ...none, [count]: 1 });
  }
}

function remember(keys: Set<string>, key: string): void {
  if (keys.size >= MOST_REMEMBERED) keys.clear();
  keys.add(key);
}

function keyOf({ place }: ParkedMessage): string {
  return `${place.subscription} ${partitionName(place)}:${place.position}`;
}
