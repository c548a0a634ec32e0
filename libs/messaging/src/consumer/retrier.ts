import { Logger } from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import { Header } from '../message/envelope.js';
import { partitionName, type ReceivedMessage, typeOf } from '../message/received-message.js';
import {
  advanceKey,
  type BlockedKey,
  claim,
  giveBack,
  lock,
  nextDue,
  tryAlone,
} from '../parking/blocked-keys.js';
import { buryParked } from '../parking/dead-letter-store.js';
import {
  firstOfKey,
  hold,
  noteFailure,
  type ParkedMessage,
  postpone,
  unpark,
} from '../parking/parked-messages.js';
import { failedAttempt } from '../parking/retry-policy.js';
import { BackgroundTask, type Turn } from '../runtime/background-task.js';
import { pauseAfter } from '../runtime/backoff.js';
import { describeError } from '../runtime/describe-error.js';
import { isInfrastructureError } from '../runtime/infrastructure-error.js';
import { guardConnections } from '../runtime/guard-connections.js';
import { WorkSignals } from '../runtime/work-signals.js';
import { classifyMessage, type ToHandle } from './classify-message.js';
import { ProcessEnded } from './crash-guard.js';
import { countHandled, noteHandled } from './handled-types.js';
import { dropReceipt, renewReceipts } from './inbox.js';
import { invokeHandlers } from './invoke-handlers.js';
import { claimedChannel, failedChannel, handledChannel, settledChannel, type StepSignal } from './signals.js';
import type { Subscription } from './subscription.js';
import { SubscriptionStall } from './subscription-stall.js';

export interface RetrierLimits {
  /** Longest sleep, in ms. Nothing wakes it for what another instance has parked. */
  readonly pollMs: number;
  /** Longest pause while the database is unavailable, in ms. */
  readonly maxBackoffMs: number;
}

export const DEFAULT_RETRIER_LIMITS: RetrierLimits = { pollMs: 30_000, maxBackoffMs: 5_000 };

/** The pause after the first failure of the database, in ms. */
const FIRST_BACKOFF_MS = 200;

/**
 * How long a message waits after its handler met an outage, in ms. Others of its subscription have their
 * turn.
 */
const OUTAGE_PAUSE_MS = 1_000;

/** How long to leave a key alone that another instance has locked, in ms. */
const LOCKED_MS = 250;

/** The message does not match its contract: no retry can help. */
class Invalid extends Error {}

/** The attempt failed, and its writes are rolled back. */
class Failed {
  constructor(readonly error: unknown) {}
}

interface Handled {
  readonly kind: 'handled';
  readonly parked: readonly ParkedMessage[];
}

/** What became of an attempt. */
type Result =
  | Handled
  | { readonly kind: 'postponed' | 'failed'; readonly parked: ParkedMessage; readonly error: unknown }
  | {
      readonly kind: 'dead';
      readonly parked: ParkedMessage;
      readonly error: unknown;
      readonly attempts: number;
    };

/** Most messages of which it is remembered how their last attempt ended. */
const MOST_REMEMBERED = 10_000;

/**
 * Retries parked messages: the first of each key when they are due, in order, in one transaction with their handlers'
 * writes. Every instance may run a retrier: each skips the keys that another has locked.
 */
export class Retrier {
  private readonly logger = new Logger(Retrier.name);
  private readonly stalls: ReadonlyMap<Subscription, SubscriptionStall>;
  /** One task per subscription: a slow handler delays no other. */
  private readonly tasks: readonly BackgroundTask[];
  /** Messages that met an outage, and how many others their subscription had handled by then. */
  private readonly outages = new Map<string, number>();
  /** Keys whose attempt ended here without its result being recorded. */
  private readonly unrecorded = new Set<string>();
  private forget: readonly (() => void)[] = [];

  constructor(
    private readonly database: DataSource,
    subscriptions: readonly Subscription[],
    { pollMs, maxBackoffMs }: RetrierLimits = DEFAULT_RETRIER_LIMITS,
  ) {
    guardConnections(database);
    this.stalls = new Map(subscriptions.map(each => [each, new SubscriptionStall(database, each.name)]));
    this.tasks = subscriptions.map(
      subscription =>
        new BackgroundTask(() => this.turn(subscription, pollMs), {
          backoff: { firstMs: FIRST_BACKOFF_MS, longestMs: maxBackoffMs },
          onError: (error, pauseMs) =>
            this.logger.warn(
              `${subscription.name}: retrying parked messages in ${pauseMs} ms: ${describeError(error)}`,
            ),
        }),
    );
  }

  start(): void {
    const { database, tasks } = this;
    const wake = () => {
      for (const task of tasks) task.wake();
    };
    const signals = WorkSignals.of(database);
    this.forget = [signals.on('parked', wake), signals.on('resumed', wake)];
    for (const task of tasks) task.start();
  }

  /** Finishes the attempts in progress. */
  async stop(): Promise<void> {
    for (const forget of this.forget) forget();
    await Promise.all(this.tasks.map(task => task.stop()));
  }

  private async turn(subscription: Subscription, pollMs: number): Promise<Turn> {
    if (await this.tryNext(subscription)) return 0;
    const ms = (await nextDue(this.database, subscription.name)) ?? pollMs;
    // One that is due already is locked by another instance.
    return ms <= 0 ? LOCKED_MS : Math.min(Math.ceil(ms), pollMs);
  }

  /** @returns whether there was one */
  private async tryNext(subscription: Subscription): Promise<boolean> {
    const key = await claim(this.database, subscription.name, subscription.batch);
    if (key === undefined) return false;
    const name = nameOf(key);
    const ended = key.unfinished > 0 && !this.unrecorded.has(name);
    if (ended && key.unfinished === 1) {
      await this.tell(subscription, await this.recordApart(subscription, key, new ProcessEnded()));
      return true;
    }
    // One of several has ended the process: which one is seen when each is tried by itself.
    if (ended) await tryAlone(this.database.manager, key, true);
    remember(this.unrecorded, name);
    const results = await this.tryKey(subscription, key, ended ? 1 : key.size);
    if (results === 'not tried') await giveBack(this.database, key);
    this.unrecorded.delete(name);
    if (results !== 'not tried') await this.tell(subscription, results);
    return true;
  }

  /**
   * One transaction with the handlers. A failure is recorded in the same transaction, so that the key stays
   * locked until then and nobody takes its message for one whose process ended.
   */
  private async tryKey(
    subscription: Subscription,
    key: BlockedKey,
    size: number,
  ): Promise<Result[] | 'not tried'> {
    try {
      return await this.database.transaction(async tx => {
        if (!(await lock(tx, key))) return 'not tried';
        const results = await this.tryFirst(tx, subscription, key, size);
        const handle = async () => {
          const rest = await firstOfKey(tx, key, size);
          if (rest[0]?.attempts !== 0) return;
          const result = await this.attempt(tx, subscription, rest);
          // What fails now is tried again, and recorded, in the next round.
          if (!(result instanceof Failed)) results.push(result);
        };
        const goesOn = results.some(({ kind }) => kind === 'handled');
        await advanceKey(tx, key, goesOn ? { most: size, handle } : undefined);
        return results;
      });
    } catch (error) {
      // The transaction was lost with its connection, or it could not be committed.
      return this.recordApart(subscription, key, error);
    }
  }

  /** Tries the first messages of a key: fewer and fewer, until some are handled or the first one fails alone. */
  private async tryFirst(
    tx: EntityManager,
    subscription: Subscription,
    key: BlockedKey,
    size: number,
  ): Promise<Result[]> {
    let parked = await firstOfKey(tx, key, size);
    while (parked.length > 0) {
      const result = await this.attempt(tx, subscription, parked);
      if (!(result instanceof Failed)) return [result];
      if (parked.length === 1) return [await this.record(tx, subscription, key, parked[0]!, result.error)];
      parked = parked.slice(0, Math.ceil(parked.length / 2));
    }
    return [];
  }

  /** All of the messages are handled, or nothing has changed. */
  private async attempt(
    tx: EntityManager,
    subscription: Subscription,
    parked: readonly ParkedMessage[],
  ): Promise<Handled | Failed> {
    await tx.query('SAVEPOINT attempt');
    try {
      await this.handle(tx, subscription, parked);
      await tx.query('RELEASE SAVEPOINT attempt');
    } catch (error) {
      await tx.query('ROLLBACK TO SAVEPOINT attempt');
      return new Failed(error);
    }
    return { kind: 'handled', parked };
  }

  private async handle(
    tx: EntityManager,
    subscription: Subscription,
    parked: readonly ParkedMessage[],
  ): Promise<void> {
    const { place } = parked[0]!;
    const items = parked.map(({ message }) => toHandle(subscription, message));
    const step: StepSignal = {
      subscription: place.subscription,
      topic: place.topic,
      partition: place.partition,
    };
    claimedChannel.publish(step);
    await invokeHandlers(subscription, items, tx);
    await renewReceipts(tx, place, items);
    const positions = parked.map(each => each.place.position);
    await unpark(tx, place, positions, 'handled');
    handledChannel.publish(step);
  }

  /** Records that the first message of a key has failed, when nothing is left of the transaction it was tried in. */
  private recordApart(subscription: Subscription, key: BlockedKey, error: unknown): Promise<Result[]> {
    return this.database.transaction(async tx => {
      const [first] = await firstOfKey(tx, key, 1);
      const results = first === undefined ? [] : [await this.record(tx, subscription, key, first, error)];
      await advanceKey(tx, key);
      return results;
    });
  }

  /** Records a failed attempt. The handler's writes are rolled back; the message is still parked. */
  private async record(
    tx: EntityManager,
    subscription: Subscription,
    key: BlockedKey,
    parked: ParkedMessage,
    error: unknown,
  ): Promise<Result> {
    const { name, retry } = subscription;
    const { place, message } = parked;
    const isTransient = isInfrastructureError(error);
    if (isTransient && this.isOutage(subscription, parked)) {
      await postpone(tx, place, OUTAGE_PAUSE_MS);
      return { kind: 'postponed', parked, error };
    }
    // It is found: the others need not be tried one by one any more.
    if (error instanceof ProcessEnded) await tryAlone(tx, key, false);
    const invalid = error instanceof Invalid;
    // What looks like an outage may be one of which others feel nothing: it gets the most time there is.
    const pauseMs = isTransient ? retry.longestMs : pauseAfter(parked.attempts + 1, retry);
    const attempts = await noteFailure(tx, place, { attempt: failedAttempt(error), pauseMs });
    if (attempts === undefined || (attempts < retry.attempts && !invalid))
      return { kind: 'failed', parked, error };
    const id = message.headers[Header.id];
    if (invalid && id !== undefined) await dropReceipt(tx, name, id);
    const holdsKey = retry.onDead === 'hold';
    await buryParked(tx, place, invalid ? 'invalid' : 'failed', holdsKey);
    if (holdsKey) await hold(tx, place);
    else await unpark(tx, place, [place.position], 'dead');
    return { kind: 'dead', parked, error, attempts };
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
  private async tell(subscription: Subscription, results: readonly Result[]): Promise<void> {
    for (const result of results) {
      if (result.kind === 'handled') await this.tellHandled(subscription, result);
      else await this.tellFailed(subscription, result);
    }
  }

  private async tellHandled(subscription: Subscription, { parked }: Handled): Promise<void> {
    noteHandled(
      subscription,
      parked.map(({ message }) => typeOf(message)),
    );
    announce(parked.at(-1)!, 'handled', parked.length);
    for (const each of parked) this.outages.delete(keyOf(each));
    await this.stalls.get(subscription)?.clear();
  }

  private async tellFailed(subscription: Subscription, result: Exclude<Result, Handled>): Promise<void> {
    const { parked, error } = result;
    const { name, retry } = subscription;
    const { topic, partition, position } = parked.place;
    const stall = this.stalls.get(subscription);
    const place = `${topic}/${partition}:${position}`;
    failedChannel.publish({ subscription: name, topic, partition, size: 1, error });
    if (result.kind === 'postponed') {
      this.logger.warn(`${name}: message at ${place} waits for an outage to end: ${describeError(error)}`);
      await stall?.report(error);
      return;
    }
    // It failed for itself: there is no outage.
    await stall?.clear();
    if (result.kind !== 'dead') return;
    this.outages.delete(keyOf(parked));
    this.logger.error(
      `${name}: message at ${place} is a dead letter after ${result.attempts} attempt(s): ${describeError(error)}`,
    );
    if (retry.onDead === 'skip') announce(parked, 'dead', 1);
  }
}

/** @throws Invalid, or an error for a type that this instance has no handler for */
function toHandle(subscription: Subscription, message: ReceivedMessage): ToHandle {
  const classified = classifyMessage(subscription, message);
  if (classified.kind === 'dead') throw new Invalid(classified.problem);
  // Another version of this service may have one: the message is tried there, or ends as a dead letter.
  if (classified.kind === 'skip') throw new Error('this instance has no handler for its type');
  return classified;
}

function announce({ place }: ParkedMessage, outcome: 'handled' | 'dead', count: number): void {
  const none = { handled: 0, skipped: 0, duplicate: 0, parked: 0, dead: 0 };
  settledChannel.publish({ ...place, ...none, [outcome]: count });
}

function remember(keys: Set<string>, key: string): void {
  if (keys.size >= MOST_REMEMBERED) keys.clear();
  keys.add(key);
}

function keyOf({ place }: ParkedMessage): string {
  return `${place.subscription} ${partitionName(place)}:${place.position}`;
}

function nameOf({ subscription, topic, key }: BlockedKey): string {
  return [subscription, topic, key].join(' ');
}
