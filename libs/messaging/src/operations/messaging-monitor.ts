import type { DataSource } from 'typeorm';
import { countOutOfOrder } from '../consumer/inbox.js';
import { pause, type PauseRow, PAUSES, pausesOf, resume } from '../consumer/pause.js';
import { type Progress, PROGRESS, progressOf, type ProgressRow } from '../consumer/progress.js';
import { partitionName } from '../message/received-message.js';
import type { Subscription } from '../consumer/subscription.js';
import { type StallRow, STALLS, stallsOf } from '../consumer/subscription-stall.js';
import { UNDECIDED, type UndecidedRow } from '../parking/dead-letter-store.js';
import { OUTBOX_STATE } from '../publisher/outbox-sql.js';
import { outboxOf } from '../publisher/relay.js';
import { type Read, readTogether } from '../runtime/read-together.js';
import type { PartitionLag, Transport } from '../transport/transport.js';
import type { WatchedState } from './alert-policy.js';
import { listActions, recordAction } from './operator-actions.js';
import type { OperatorAction, QueueState, SubscriptionState } from './states.js';

const TIMERS_DUE = 'SELECT count(*)::int AS due FROM messaging.timer WHERE due_at <= now()';

const OF_SUBSCRIPTIONS = { progress: PROGRESS, pauses: PAUSES, stalls: STALLS };
const WATCHED = { ...OF_SUBSCRIPTIONS, undecided: UNDECIDED, outbox: OUTBOX_STATE };
const STATE = { ...OF_SUBSCRIPTIONS, outbox: OUTBOX_STATE, timers: TIMERS_DUE };

interface OutboxRow {
  readonly depth: number;
  readonly oldestAt: string | null;
}

type SubscriptionRows = { progress: ProgressRow; pauses: PauseRow; stalls: StallRow };
type WatchedRows = SubscriptionRows & { undecided: UndecidedRow; outbox: OutboxRow };
type StateRows = SubscriptionRows & { outbox: OutboxRow; timers: { due: number } };

/** The current state of a service's queues, and what operators do to them. */
export class MessagingMonitor {
  /** @param declared the subscriptions that the service's controllers declare, once they are known */
  constructor(
    private readonly transport: Transport,
    private readonly database: DataSource,
    private readonly declared: () => readonly Subscription[],
    private readonly service: string,
  ) {}

  /** @param order whether to check every receipt for its order */
  async subscriptions(order: boolean): Promise<SubscriptionState[]> {
    return this.subscriptionsOf(await readTogether<SubscriptionRows>(this.database, OF_SUBSCRIPTIONS), order);
  }

  private async subscriptionsOf(rows: Read<SubscriptionRows>, order: boolean): Promise<SubscriptionState[]> {
    const [progress, pauses, stalls] = [
      progressOf(rows.progress),
      pausesOf(rows.pauses),
      stallsOf(rows.stalls),
    ];
    const outOfOrder = order ? await countOutOfOrder(this.database) : undefined;
    return Promise.all(
      this.competing.map(async ({ name }) => {
        const lags = await this.transport.lag(name);
        const done = progress(name);
        const { startedAt, handled, skipped, duplicate, parked, dead, discarded, lost } = done;
        return {
          name,
          topics: [...new Set(lags.map(each => each.topic))],
          lag: sum(lags.map(each => each.lag)),
          oldestAt: oldestOf(lags)?.toISOString() ?? null,
          appended: sum(lags.map(each => each.head)) - startedAt,
          handled,
          skipped,
          duplicate,
          parked,
          dead,
          discarded,
          lost: lost + beyondEnd(lags, done),
          outOfOrder: outOfOrder === undefined ? null : (outOfOrder.get(name) ?? 0),
          paused: pauses.get(name) ?? null,
          waiting: stalls.get(name) ?? null,
          owners: [...new Set(lags.flatMap(each => each.owner ?? []))],
        };
      }),
    );
  }

  /**
   * The figures that alerts are raised for. What the transport cannot report now is left out; the rest is
   * still reported. `dead` counts the undecided letters, including those whose key waits for the decision.
   */
  async watched(): Promise<WatchedState> {
    const rows = await readTogether<WatchedRows>(this.database, WATCHED);
    const [progress, pauses, stalls] = [
      progressOf(rows.progress),
      pausesOf(rows.pauses),
      stallsOf(rows.stalls),
    ];
    const undecided = new Map(rows.undecided.map(({ subscription, count }) => [subscription, count]));
    const subscriptions = await Promise.all(
      this.competing.map(async ({ name }) => {
        const lags = await this.transport.lag(name).catch(() => undefined);
        const done = progress(name);
        return {
          name,
          lag: lags && sum(lags.map(each => each.lag)),
          oldestAt: lags && (oldestOf(lags)?.toISOString() ?? null),
          parked: done.parked,
          lost: done.lostToday + beyondEnd(lags ?? [], done),
          dead: undecided.get(name) ?? 0,
          paused: pauses.get(name) ?? null,
          waiting: stalls.get(name) ?? null,
        };
      }),
    );
    const [{ depth, oldestAt }] = rows.outbox as [OutboxRow];
    const refused = undecided.get(outboxOf(this.service)) ?? 0;
    return {
      subscriptions,
      outbox: { depth, oldestAt: oldestAt && new Date(oldestAt).toISOString(), refused },
    };
  }

  /** @param order whether to check every receipt for its order */
  async state(order: boolean): Promise<QueueState> {
    const rows = await readTogether<StateRows>(this.database, STATE);
    const subscriptions = await this.subscriptionsOf(rows, order);
    return { subscriptions, outbox: rows.outbox[0]!.depth, timersDue: rows.timers[0]!.due };
  }

  /**
   * Pauses a subscription: no instance begins a batch until it is resumed, even after restarts.
   * @returns false when the service has no such subscription
   */
  async pause(subscription: string, by: string, reason: string): Promise<boolean> {
    if (!this.competing.some(({ name }) => name === subscription)) return false;
    await this.database.transaction(async tx => {
      if (await pause(tx, subscription, by, reason))
        await recordAction(tx, by, 'pause', subscription, { note: reason });
    });
    return true;
  }

  /** @returns false when the service has no such subscription */
  async resume(subscription: string, by: string): Promise<boolean> {
    if (!this.competing.some(({ name }) => name === subscription)) return false;
    await this.database.transaction(async tx => {
      if (await resume(tx, subscription)) await recordAction(tx, by, 'resume', subscription);
    });
    return true;
  }

  /** What operators did here, the newest first. */
  async actions(limit: number): Promise<OperatorAction[]> {
    return listActions(this.database, limit);
  }

  private get competing(): readonly Subscription[] {
    return this.declared().filter(({ mode }) => mode === 'competing');
  }
}

/**
 * How many positions were settled that the queue does not have: it was replaced, or restored from a backup. What is
 * appended at these positions would count as settled.
 */
function beyondEnd(lags: readonly PartitionLag[], { positions }: Progress): number {
  return sum(
    lags.map(each =>
      Math.max(0, each.committed - each.head, (positions[partitionName(each)] ?? 0) - each.head),
    ),
  );
}

function oldestOf(lags: readonly PartitionLag[]): Date | undefined {
  return lags.flatMap(each => each.oldestAt ?? []).sort((a, b) => a.getTime() - b.getTime())[0];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
