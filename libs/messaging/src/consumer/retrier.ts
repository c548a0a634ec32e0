import { Logger } from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import { Header } from '../message/envelope.js';
import { runInTrace } from '../message/trace.js';
import { buryParked } from '../parking/dead-letter-store.js';
import {
  hold,
  lockKey,
  noteFailure,
  type ParkedMessage,
  postpone,
  take,
  unpark,
} from '../parking/parked-messages.js';
import { failedAttempt } from '../parking/retry-policy.js';
import { BackgroundTask } from '../runtime/background-task.js';
import { pauseAfter } from '../runtime/backoff.js';
import { describeError } from '../runtime/describe-error.js';
import { isInfrastructureError } from '../runtime/infrastructure-error.js';
import { classifyMessage } from './classify-message.js';
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

/**
 * Retries parked messages: the first of each key when it is due, in one transaction with its handler's
 * writes. Every instance may run a retrier: each skips the messages that another has locked.
 */
export class Retrier {
  private readonly logger = new Logger(Retrier.name);
  private readonly stalls: ReadonlyMap<Subscription, SubscriptionStall>;
  /** One task per subscription: a slow handler delays no other. */
  private readonly tasks: readonly BackgroundTask[];

  constructor(
    private readonly database: DataSource,
    subscriptions: readonly Subscription[],
    { pollMs, maxBackoffMs }: RetrierLimits = DEFAULT_RETRIER_LIMITS,
  ) {
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

  /** @returns whether there was a message to try */
  private async tryNext(subscription: Subscription): Promise<boolean> {
    let parked: ParkedMessage | undefined;
    try {
      await this.database.transaction(async tx => {
        parked = await take(tx, subscription.name);
        if (parked !== undefined) await this.attempt(subscription, parked, tx);
      });
    } catch (error) {
      if (parked === undefined) throw error;
      await this.fail(subscription, parked, error);
      return true;
    }
    if (parked === undefined) return false;
    this.announce(parked, 'handled');
    await this.stalls.get(subscription)?.clear();
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
    await runInTrace(message.headers[Header.traceparent], () =>
      route.invoke(data, { tx, messages: [message] }),
    );
    await renewReceipt(tx, place, id);
    await unpark(tx, place, 'handled');
    handledChannel.publish(step);
  }

  /** The attempt was rolled back; the message is still parked. */
  private async fail(subscription: Subscription, parked: ParkedMessage, error: unknown): Promise<void> {
    const { subscription: name, topic, partition } = parked.place;
    failedChannel.publish({ subscription: name, topic, partition, size: 1, error });
    if (isInfrastructureError(error)) await this.postpone(subscription, parked, error);
    else await this.noteFailure(subscription, parked, error);
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
