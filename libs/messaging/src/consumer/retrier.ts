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
      await this.noteFailure(subscription, parked, new ProcessEnded());
      return true;
    }
    let isLocked = false;
    try {
      await this.database.transaction(async tx => {
        isLocked = await lock(tx, parked.place);
        if (isLocked) await this.attempt(subscription, parked, tx);
      });
      if (!isLocked) await giveBack(this.database, parked.place);
    } catch (error) {
      // Without a database the failure cannot be recorded: this is how it is told from the end of a process.
      remember(this.unrecorded, key);
      await this.fail(subscription, parked, error);
      this.unrecorded.delete(key);
      return true;
    }
    this.unrecorded.delete(key);
    if (isLocked) {
      this.outages.delete(key);
      noteHandled(subscription, [typeOf(parked.message)]);
      this.announce(parked, 'handled');
      await this.stalls.get(subscription)?.clear();
    }
    return true;
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

  /** The attempt was rolled back; the message is still parked. */
  private async fail(subscription: Subscription, parked: ParkedMessage, error: unknown): Promise<void> {
    const { subscription: name, topic, partition } = parked.place;
    failedChannel.publish({ subscription: name, topic, partition, size: 1, error });
    if (isInfrastructureError(error) && this.isOutage(subscription, parked))
      await this.postpone(subscription, parked, error);
    else await this.noteFailure(subscription, parked, error);
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

  private async postpone(
    subscription: Subscription,
    { place }: ParkedMessage,
    error: unknown,
  ): Promise<void> {
    const { topic, partition, position } = place;
    this.logger.warn(
      `${subscription.name}: message at ${topic}/${partition}:${position} waits for an outage to end: ${describeError(error)}`,
    );
    await this.stalls.get(subscription)?.report(error);
    await postpone(this.database, place, OUTAGE_PAUSE_MS);
  }

  private async noteFailure(
    subscription: Subscription,
    parked: ParkedMessage,
    error: unknown,
  ): Promise<void> {
    const { name, retry } = subscription;
    const { place, message } = parked;
    const invalid = error instanceof Invalid;
    const failure = { attempt: failedAttempt(error), pauseMs: pauseAfter(parked.attempts + 1, retry) };
    const attempts = await this.database.transaction(async tx => {
      const noted = await noteFailure(tx, place, failure);
      if (noted === undefined || (noted < retry.attempts && !invalid)) return undefined;
      const id = message.headers[Header.id];
      if (invalid && id !== undefined) await dropReceipt(tx, name, id);
      const holdsKey = retry.onDead === 'hold';
      await buryParked(tx, place, invalid ? 'invalid' : 'failed', holdsKey);
      if (holdsKey) await hold(tx, place);
      else await unpark(tx, place, 'dead');
      return noted;
    });
    // The message itself failed: there is no outage.
    await this.stalls.get(subscription)?.clear();
    if (attempts === undefined) return;
    this.outages.delete(keyOf(parked));
    const { topic, partition, position } = place;
    this.logger.error(
      `${name}: message at ${topic}/${partition}:${position} is a dead letter after ${attempts} attempt(s): ${describeError(error)}`,
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
