import { Inject, Injectable } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Subscription } from '../consumer/subscription.js';
import { LIST_WAITING } from '../consumer/waiting.js';
import { COUNT_UNDECIDED } from '../dead-letter/sql.js';
import { OUT_OF_ORDER } from '../inbox/sql.js';
import { MessagingServer } from '../nest/messaging-server.js';
import { MESSAGE_TRANSPORT, MESSAGING_DATABASE } from '../nest/options.js';
import type { PartitionLag, Transport } from '../transport/transport.js';
import type { WatchedState } from './alert-policy.js';
import { LIST_ACTIONS, type OperatorActionRow, recordAction } from './operator-actions.js';
import type { OperatorAction, QueueState, SubscriptionState } from './requests.js';
import { LIST_PAUSED, PAUSE, RESUME } from './sql.js';

const PROGRESS = `
SELECT subscription, sum(position - started_at)::float8 AS settled, sum(started_at)::float8 AS started_at,
       sum(handled)::float8 AS handled, sum(skipped)::float8 AS skipped,
       sum(duplicate)::float8 AS duplicate, sum(parked)::float8 AS parked,
       sum(dead)::float8 AS dead, sum(discarded)::float8 AS discarded
FROM messaging.progress GROUP BY subscription`;

type Progress = Record<string, number> & { readonly subscription: string };

/** What a service's queues look like now. */
@Injectable()
export class MessagingMonitor {
  constructor(
    @Inject(MESSAGE_TRANSPORT) private readonly transport: Transport,
    @Inject(MESSAGING_DATABASE) private readonly database: DataSource,
    private readonly server: MessagingServer,
  ) {}

  async subscriptions(order: boolean): Promise<SubscriptionState[]> {
    const bySubscription = await this.progress();
    const [paused, waiting] = await Promise.all([this.paused(), this.waiting()]);
    const outOfOrder = order ? await this.outOfOrder() : undefined;
    return Promise.all(
      this.competing.map(async ({ name }) => {
        const lags = await this.transport.lag(name);
        const row = bySubscription.get(name);
        return {
          name,
          topics: [...new Set(lags.map(each => each.topic))],
          lag: sum(lags.map(each => each.lag)),
          oldestAt: oldestOf(lags)?.toISOString() ?? null,
          appended: sum(lags.map(each => each.head)) - (row?.started_at ?? 0),
          handled: row?.handled ?? 0,
          skipped: row?.skipped ?? 0,
          duplicate: row?.duplicate ?? 0,
          parked: row?.parked ?? 0,
          dead: row?.dead ?? 0,
          discarded: row?.discarded ?? 0,
          outOfOrder: outOfOrder === undefined ? null : (outOfOrder.get(name) ?? 0),
          paused: paused.get(name) ?? null,
          waiting: waiting.get(name) ?? null,
          owners: [...new Set(lags.flatMap(each => each.owner ?? []))],
        };
      }),
    );
  }

  /**
   * What is watched of the queues: what the transport cannot tell now is left out, and the rest told all the same.
   * Dead are the letters that nobody has decided on, those included whose key waits for it.
   */
  async watched(): Promise<WatchedState> {
    const [progress, waiting, paused, undecided, outbox] = await Promise.all([
      this.progress(),
      this.waiting(),
      this.paused(),
      this.undecided(),
      this.outboxDepth(),
    ]);
    const subscriptions = await Promise.all(
      this.competing.map(async ({ name }) => {
        const lags = await this.transport.lag(name).catch(() => undefined);
        return {
          name,
          lag: lags && sum(lags.map(each => each.lag)),
          oldestAt: lags && (oldestOf(lags)?.toISOString() ?? null),
          parked: progress.get(name)?.['parked'] ?? 0,
          dead: undecided.get(name) ?? 0,
          paused: paused.get(name) ?? null,
          waiting: waiting.get(name) ?? null,
        };
      }),
    );
    return { subscriptions, outbox };
  }

  /** @param order whether every receipt is asked if it came in its turn */
  async state(order: boolean): Promise<QueueState> {
    const [subscriptions, outbox] = await Promise.all([this.subscriptions(order), this.outboxDepth()]);
    return { subscriptions, outbox };
  }

  /**
   * Stops a subscription: no instance begins a batch from now on, whatever is restarted, until it is resumed.
   * @returns false when the service has no such subscription
   */
  async pause(subscription: string, by: string, reason: string): Promise<boolean> {
    if (!this.competing.some(({ name }) => name === subscription)) return false;
    await this.database.transaction(async tx => {
      const paused = (await tx.query(PAUSE, [subscription, by, reason])) as unknown[];
      if (paused.length > 0) await recordAction(tx, by, 'pause', subscription, { note: reason });
    });
    return true;
  }

  /** @returns false when the service has no such subscription */
  async resume(subscription: string, by: string): Promise<boolean> {
    if (!this.competing.some(({ name }) => name === subscription)) return false;
    await this.database.transaction(async tx => {
      const [resumed] = (await tx.query(RESUME, [subscription])) as [unknown[]];
      if (resumed.length > 0) await recordAction(tx, by, 'resume', subscription);
    });
    return true;
  }

  /** What operators did here, the newest first. */
  async actions(limit: number): Promise<OperatorAction[]> {
    const rows = (await this.database.query(LIST_ACTIONS, [limit])) as OperatorActionRow[];
    return rows.map(({ acted_at, acted_by, action, subscription, dead_letter, note }) => ({
      at: acted_at.toISOString(),
      by: acted_by,
      action,
      subscription,
      deadLetterId: dead_letter,
      note,
    }));
  }

  private get competing(): readonly Subscription[] {
    return this.server.subscriptions.filter(({ mode }) => mode === 'competing');
  }

  private async paused(): Promise<ReadonlyMap<string, NonNullable<SubscriptionState['paused']>>> {
    const rows = (await this.database.query(LIST_PAUSED)) as {
      subscription: string;
      paused_by: string;
      reason: string;
      paused_at: Date;
    }[];
    return new Map(
      rows.map(row => [
        row.subscription,
        { at: row.paused_at.toISOString(), by: row.paused_by, reason: row.reason },
      ]),
    );
  }

  private async progress(): Promise<ReadonlyMap<string, Progress>> {
    const rows = (await this.database.query(PROGRESS)) as Progress[];
    return new Map(rows.map(row => [row.subscription, row]));
  }

  private async undecided(): Promise<ReadonlyMap<string, number>> {
    const rows = (await this.database.query(COUNT_UNDECIDED)) as { subscription: string; count: number }[];
    return new Map(rows.map(({ subscription, count }) => [subscription, count]));
  }

  private async waiting(): Promise<ReadonlyMap<string, NonNullable<SubscriptionState['waiting']>>> {
    const rows = (await this.database.query(LIST_WAITING)) as {
      subscription: string;
      since: Date;
      reason: string;
    }[];
    return new Map(
      rows.map(({ subscription, since, reason }) => [subscription, { since: since.toISOString(), reason }]),
    );
  }

  private async outOfOrder(): Promise<ReadonlyMap<string, number>> {
    const late = (await this.database.query(OUT_OF_ORDER)) as { subscription: string; count: number }[];
    return new Map(late.map(row => [row.subscription, row.count]));
  }

  /** Rows that wait to be sent. */
  private async outboxDepth(): Promise<number> {
    const [row] = (await this.database.query('SELECT count(*)::int AS depth FROM messaging.outbox')) as [
      { depth: number },
    ];
    return row.depth;
  }
}

function oldestOf(lags: readonly PartitionLag[]): Date | undefined {
  return lags.flatMap(each => each.oldestAt ?? []).sort((a, b) => a.getTime() - b.getTime())[0];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
