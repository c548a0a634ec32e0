import type { DataSource } from 'typeorm';
import { countOutOfOrder } from '../consumer/inbox.js';
import { listPauses, pause, resume } from '../consumer/pause.js';
import { type Progress, readProgress } from '../consumer/progress.js';
import { partitionName } from '../message/received-message.js';
import type { Subscription } from '../consumer/subscription.js';
import { listStalls } from '../consumer/subscription-stall.js';
import { countUndecided } from '../parking/dead-letter-store.js';
import { OUTBOX_STATE } from '../publisher/outbox-sql.js';
import { outboxOf } from '../publisher/relay.js';
import type { PartitionLag, Transport } from '../transport/transport.js';
import type { WatchedState } from './alert-policy.js';
import { listActions, recordAction } from './operator-actions.js';
import type { OperatorAction, QueueState, SubscriptionState } from './states.js';

const TIMERS_DUE = 'SELECT count(*)::int AS due FROM messaging.timer WHERE due_at <= now()';

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
    const [progressOf, pauses, stalls] = await Promise.all([
      readProgress(this.database),
      listPauses(this.database),
      listStalls(this.database),
    ]);
    const outOfOrder = order ? await countOutOfOrder(this.database) : undefined;
    return Promise.all(
      this.competing.map(async ({ name }) => {
        const lags = await this.transport.lag(name);
        const progress = progressOf(name);
        const { startedAt, handled, skipped, duplicate, parked, dead, discarded, lost } = progress;
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
          lost: lost + beyondEnd(lags, progress),
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
    const [progressOf, stalls, pauses, undecided, outbox] = await Promise.all([
      readProgress(this.database),
      listStalls(this.database),
      listPauses(this.database),
      countUndecided(this.database),
      this.outboxState(),
    ]);
    const subscriptions = await Promise.all(
      this.competing.map(async ({ name }) => {
        const lags = await this.transport.lag(name).catch(() => undefined);
        const progress = progressOf(name);
        return {
          name,
          lag: lags && sum(lags.map(each => each.lag)),
          oldestAt: lags && (oldestOf(lags)?.toISOString() ?? null),
          parked: progress.parked,
          lost: progress.lostToday + beyondEnd(lags ?? [], progress),
          dead: undecided.get(name) ?? 0,
          paused: pauses.get(name) ?? null,
          waiting: stalls.get(name) ?? null,
        };
      }),
    );
    const refused = undecided.get(outboxOf(this.service)) ?? 0;
    return { subscriptions, outbox: { ...outbox, refused } };
  }

  /** @param order whether to check every receipt for its order */
  async state(order: boolean): Promise<QueueState> {
    const [subscriptions, { depth }, [timers]] = await Promise.all([
      this.subscriptions(order),
      this.outboxState(),
      this.database.query(TIMERS_DUE) as Promise<[{ due: number }]>,
    ]);
    return { subscriptions, outbox: depth, timersDue: timers.due };
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

  private async outboxState(): Promise<{ depth: number; oldestAt: string | null }> {
    const [{ depth, oldestAt }] = (await this.database.query(OUTBOX_STATE)) as [
      { depth: number; oldestAt: Date | null },
    ];
    return { depth, oldestAt: oldestAt?.toISOString() ?? null };
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
