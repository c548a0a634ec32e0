import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { type AlertPolicy, DEFAULT_ALERTS, type Subscription } from '../consumer/subscription.js';
import { uuidv7 } from '../message/uuid-v7.js';
import { BackgroundTask, type Turn } from '../runtime/background-task.js';
import { describeError } from '../runtime/describe-error.js';
import { Lease } from '../runtime/lease.js';
import { untilNext } from '../runtime/until-next.js';
import {
  type AlertLimits,
  decideAlerts,
  type OpenAlert,
  type Read,
  readingsOf,
  tellAlert,
  type WatchedState,
} from './alert-policy.js';
import {
  CLEAR,
  DROP_NOTICES,
  FORGET_ALERTS,
  FORGET_NOTICE,
  LIST_ALERTS,
  NEXT_NOTICES,
  OPEN_ALERTS,
  RAISE,
  UPDATE,
} from './alert-sql.js';
import { type AlertWebhook, NoticeRefused } from './alert-webhook.js';
import type { Alert } from './states.js';

export interface AlertWatchLimits extends AlertLimits {
  /** How often the figures are checked, in ms. */
  readonly pollMs: number;
  /** How long another instance waits for a watcher that went silent, in ms. */
  readonly leaseMs: number;
  /** Most notices sent after one check. */
  readonly notices: number;
  /** Most notices kept for an endpoint that does not accept them; the oldest are dropped. */
  readonly noticesKept: number;
  /** How long a cleared alert is kept, in days. */
  readonly keepDays: number;
}

export const DEFAULT_ALERT_LIMITS: AlertWatchLimits = {
  parked: 5_000,
  waitingMs: 10_000,
  outbox: 50_000,
  outboxAgeMs: 60_000,
  pollMs: 6_000,
  leaseMs: 6_000,
  notices: 100,
  noticesKept: 1_000,
  keepDays: 30,
};

interface AlertRow extends OpenAlert {
  readonly threshold: number;
  readonly message: string;
  readonly raised_at: Date;
  readonly cleared_at: Date | null;
}

/**
 * Watches a service's queues. It raises an alert once when a figure is too high and clears it once, whichever
 * instance watches and whatever is restarted. While the alert is open, its text gives the current figure. Each alert goes to the log and, if there is one, to a webhook,
 * which is notified again until it accepts the notice.
 */
export class AlertWatch {
  private readonly logger = new Logger(AlertWatch.name);
  /** Whoever holds it watches. */
  readonly lease: Lease;
  private readonly task: BackgroundTask;
  /** The open alerts, as long as nobody else can have changed them. */
  private open: readonly OpenAlert[] | undefined;
  /** Whether notices may be waiting to be sent. */
  private mayTell = true;
  /** The acquisition of the lease for which both hold. */
  private acquisition = 0;

  /** @param look the figures as they are now */
  constructor(
    private readonly database: DataSource,
    private readonly service: string,
    instance: string,
    private readonly look: () => Promise<WatchedState>,
    private readonly policyOf: (subscription: string) => AlertPolicy,
    private readonly webhook: AlertWebhook | undefined,
    private readonly limits: AlertWatchLimits = DEFAULT_ALERT_LIMITS,
  ) {
    this.lease = new Lease(database, 'alerts', instance, limits.leaseMs);
    this.task = new BackgroundTask(signal => this.turn(signal), {
      backoff: { firstMs: limits.pollMs, longestMs: limits.pollMs },
      onError: error => this.complain('alerts are delayed', error),
    });
  }

  get stuckMs(): number {
    return this.task.stuckMs;
  }

  start(): void {
    this.task.start();
  }

  async stop(): Promise<void> {
    await this.task.stop();
    await this.lease.giveUp().catch(() => undefined);
  }

  /** The newest first. */
  async list(limit: number, openOnly: boolean): Promise<Alert[]> {
    return ((await this.database.query(LIST_ALERTS, [limit, openOnly])) as AlertRow[]).map(toAlert);
  }

  private async turn(signal: AbortSignal): Promise<Turn> {
    if (await this.lease.hold().catch(() => false)) {
      // Another instance may have watched meanwhile.
      if (this.acquisition !== this.lease.acquisitions) [this.open, this.mayTell] = [undefined, true];
      this.acquisition = this.lease.acquisitions;
      await this.watch().catch((error: unknown) => this.complain('the queues were not checked', error));
      await this.tell(signal).catch((error: unknown) => this.complain('alert notices were not sent', error));
    }
    return untilNext(this.limits.pollMs);
  }

  private complain(what: string, error: unknown): void {
    if (!this.task.stopping) this.logger.warn(`${what}: ${describeError(error)}`);
  }

  private async watch(): Promise<void> {
    const readings = readingsOf(this.service, await this.look(), this.policyOf, this.limits, new Date());
    const open = this.open ?? ((await this.database.query(OPEN_ALERTS)) as OpenAlert[]);
    const { raise, clear, update } = decideAlerts(open, readings);
    this.open = raise.length + clear.length + update.length > 0 ? undefined : open;
    this.mayTell ||= raise.length + clear.length > 0;
    for (const reading of raise) await this.raise(reading);
    for (const alert of clear) await this.clear(alert);
    for (const reading of update) {
      const { subject, kind, value, threshold } = reading;
      await this.database.query(UPDATE, [subject, kind, value, tellAlert(reading), threshold]);
    }
    if (clear.length > 0) await this.database.query(FORGET_ALERTS, [this.limits.keepDays]);
  }

  private async raise(reading: Read): Promise<void> {
    const { subject, kind, value, threshold } = reading;
    const message = tellAlert(reading);
    const row = [uuidv7(), subject, kind, value, threshold, message, this.webhook !== undefined];
    const raised = (await this.database.query(RAISE, row)) as unknown[];
    if (raised.length > 0) this.logger.warn(`alert: ${message}`);
  }

  private async clear({ id, subject, kind }: OpenAlert): Promise<void> {
    const cleared = (await this.database.query(CLEAR, [id, this.webhook !== undefined])) as unknown[];
    if (cleared.length > 0) this.logger.log(`alert cleared: ${kind} of ${subject}`);
  }

  /** Sends notices in order: one that is not accepted waits, and so do those after it. */
  private async tell(signal: AbortSignal): Promise<void> {
    if (this.webhook === undefined || !this.mayTell) return;
    await this.database.query(DROP_NOTICES, [this.limits.noticesKept]);
    const notices = (await this.database.query(NEXT_NOTICES, [this.limits.notices])) as (AlertRow & {
      notice_id: string;
      what: 'raised' | 'cleared';
    })[];
    for (const notice of notices) {
      if (signal.aborted) return;
      try {
        await this.webhook.tell(this.service, notice.what, toAlert(notice), signal);
      } catch (error) {
        if (!(error instanceof NoticeRefused)) throw error;
        this.logger.error(`alert ${notice.id} (${notice.what}) was not sent: ${error.message}`);
      }
      // Delete after sending: a crash between the two sends it again, under the same id.
      await this.database.query(FORGET_NOTICE, [notice.notice_id]);
    }
    if (notices.length < this.limits.notices) this.mayTell = false;
  }
}

function toAlert({ id, subject, kind, value, threshold, message, raised_at, cleared_at }: AlertRow): Alert {
  const [raisedAt, clearedAt] = [raised_at.toISOString(), cleared_at?.toISOString() ?? null];
  return { id, subject, kind, value, threshold, message, raisedAt, clearedAt };
}

/** A subscription's own policy, with defaults filled in. */
export function alertPolicyOf(subscription: Subscription | undefined): AlertPolicy {
  return { ...DEFAULT_ALERTS, ...subscription?.alert };
}
