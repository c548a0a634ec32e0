import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { BackgroundTask, type Turn } from './background-task.js';
import type { Lease } from './lease.js';
import { untilNext } from './until-next.js';
import { WorkSignals } from './work-signals.js';

/** Who works under a lease. */
export interface LeaseHolder {
  readonly lease: Lease;
  /** How long it has made no progress, in ms. One that is stuck loses its lease to another instance. */
  readonly stuckMs: number;
}

/** Between two heartbeats, in ms: two fit into a lease. */
const BEAT_MS = 3_000;

/**
 * Renews leases, or takes those that are free, and looks for work that nobody was told of. $5 is how soon it must be due,
 * in s. A crash of the server may lose the leases, so nothing waits for the disk.
 */
const BEAT = `
WITH held AS (
  INSERT INTO messaging.lease AS lease (name, holder, expires_at)
  SELECT name, $1, now() + make_interval(secs => ttl)
  FROM unnest($2::text[], $3::float8[]) AS wanted(name, ttl) ORDER BY name
  ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
  WHERE lease.holder = excluded.holder OR lease.expires_at < now()
  RETURNING name
)
SELECT set_config('synchronous_commit', 'off', true), array(SELECT name FROM held) AS held,
       EXISTS (SELECT FROM messaging.outbox) AS outbox,
       EXISTS (SELECT FROM messaging.timer WHERE due_at < now() + make_interval(secs => $5)) AS timers,
       EXISTS (SELECT FROM unnest($4::text[]) AS s(name) JOIN messaging.blocked_key k ON k.subscription = s.name
               WHERE k.due_at < now() + make_interval(secs => $5)
                 AND NOT EXISTS (SELECT FROM messaging.paused p WHERE p.subscription = s.name)) AS parked`;

/**
 * An instance's one regular statement on its service's database. It keeps the instance's leases, and wakes what waits for
 * work that no signal has told of: another instance left it and died, or the signal was lost.
 */
export class Heartbeat {
  private readonly logger = new Logger(Heartbeat.name);
  private readonly signals: WorkSignals;
  private readonly task: BackgroundTask;

  /** @param subscriptions their names, once they are known */
  constructor(
    database: DataSource,
    private readonly instance: string,
    private readonly holders: readonly LeaseHolder[],
    private readonly subscriptions: () => readonly string[],
    private readonly beatMs: number = BEAT_MS,
  ) {
    this.signals = WorkSignals.of(database);
    this.task = new BackgroundTask(() => this.turn(), {
      backoff: { firstMs: beatMs, longestMs: beatMs },
      onError: error => this.logger.warn(`heartbeat failed: ${String(error)}`),
    });
  }

  start(): void {
    this.signals.listen(this.instance);
    this.task.start();
  }

  async stop(): Promise<void> {
    await this.task.stop();
  }

  private async turn(): Promise<Turn> {
    const askedAt = performance.now();
    const leases = this.holders
      .filter(({ lease, stuckMs }) => stuckMs < lease.ttlMs)
      .map(({ lease }) => lease);
    const values = [
      this.instance,
      leases.map(({ name }) => name),
      leases.map(({ ttlMs }) => ttlMs / 1_000),
      this.subscriptions(),
      this.beatMs / 1_000,
    ];
    const [seen] = (await this.signals.ask({ name: 'sluice_beat', text: BEAT, values })) as [
      { held: string[]; outbox: boolean; timers: boolean; parked: boolean },
    ];
    for (const lease of leases) lease.renewed(seen.held.includes(lease.name), askedAt);
    for (const work of ['outbox', 'timers', 'parked'] as const) if (seen[work]) this.signals.wake(work);
    return untilNext(this.beatMs);
  }
}
