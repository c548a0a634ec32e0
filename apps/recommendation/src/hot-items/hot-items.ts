import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { HOT_ITEMS_EVERY_MS, type HotItem, HotItemsListed } from '#contracts';
import { Outbox, PacedTask } from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import type { RecommendationConfig } from '../recommendation.config.js';
import { decideHot, type HotPolicy } from './decide.js';
import { together } from './space-saving.js';
import { readSketch, type StoredSketch } from './stored-sketch.js';

/** How often to look when nobody calls, in ms: what an instance that has died has counted must cool down too. */
const LOOK_MS = 30_000;

const ANYTHING = 'SELECT EXISTS (SELECT FROM interest) OR EXISTS (SELECT FROM hot_item) AS found';

/** One instance decides at a time; another has nothing to add. */
const LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('hot-items')) AS mine";

/** Reads the window, and forgets what is older. */
const READ = `
WITH gone AS (DELETE FROM interest WHERE starts_at <= now() - make_interval(secs => $1))
SELECT (extract(epoch FROM now()) * 1000)::float8 AS now,
       (SELECT coalesce(json_agg(counters), '[]') FROM interest
        WHERE starts_at > now() - make_interval(secs => $1)) AS parts,
       (SELECT coalesce(json_agg(json_build_object('sku', sku, 'since', since)), '[]') FROM hot_item) AS hot,
       (SELECT (extract(epoch FROM now() - told_at) * 1000)::float8 FROM hot_list) AS "toldMsAgo"`;

const KEEP = `
WITH cooled AS (DELETE FROM hot_item WHERE sku <> ALL($1::text[]))
INSERT INTO hot_item (sku, since)
SELECT sku, since FROM json_to_recordset($2::json) AS h(sku text, since timestamptz) ON CONFLICT DO NOTHING`;

/** Versions grow, also where the table was emptied: they are not below the time. */
const NEXT_VERSION = `
INSERT INTO hot_list AS l (version, told_at) VALUES ($1, now())
ON CONFLICT (one) DO UPDATE SET version = greatest(l.version + 1, excluded.version), told_at = excluded.told_at
RETURNING version::float8 AS version`;

interface Window {
  readonly now: number;
  readonly parts: readonly StoredSketch[];
  readonly hot: readonly Pick<HotItem, 'sku' | 'since'>[];
  readonly toldMsAgo: number | null;
}

/**
 * Decides what is hot and tells everyone: at once when it changes, and every few seconds while anything is hot. When
 * nothing is hot and nobody looks at anything, it sleeps.
 */
@Injectable()
export class HotItems implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(HotItems.name);
  private readonly task: PacedTask;
  private readonly policy: HotPolicy;
  private readonly windowMs: number;

  constructor(
    private readonly database: DataSource,
    private readonly outbox: Outbox,
    @Inject(SERVICE_CONFIG) config: RecommendationConfig,
  ) {
    this.windowMs = config.HOT_WINDOW_MS;
    this.policy = {
      enter: config.HOT_ENTER,
      leave: config.HOT_LEAVE,
      minStayMs: config.HOT_MIN_STAY_MS,
      most: config.HOT_ITEMS,
    };
    this.task = new PacedTask(() => this.decide(), {
      everyMs: Math.min(Math.ceil(this.windowMs / 30), 2_000),
      lookMs: LOOK_MS,
      onError: error => this.logger.warn(`hot products are decided later: ${String(error)}`),
    });
  }

  /** The transaction has counted something. */
  callAfter(tx: EntityManager): void {
    this.task.callAfter(tx);
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.task.stop();
  }

  /** @returns whether there is anything to decide on */
  private async decide(): Promise<boolean> {
    const [{ found }] = (await this.database.query(ANYTHING)) as [{ found: boolean }];
    if (found) await this.database.transaction(tx => this.decideIn(tx));
    return found;
  }

  private async decideIn(tx: EntityManager): Promise<void> {
    const [{ mine }] = (await tx.query(LOCK)) as [{ mine: boolean }];
    if (!mine) return;
    const [{ now, parts, hot: before, toldMsAgo }] = (await tx.query(READ, [this.windowMs / 1_000])) as [
      Window,
    ];
    const counters = together(parts.map(readSketch));
    const known = before.map(({ sku, since }) => ({ sku, since: new Date(since).toISOString() }));
    const { hot, cooled, changed } = decideHot(known, counters, now, this.policy);
    if (changed) await tx.query(KEEP, [hot.map(({ sku }) => sku), JSON.stringify(hot)]);
    const isDue = toldMsAgo === null || toldMsAgo < 0 || toldMsAgo >= HOT_ITEMS_EVERY_MS;
    if (!changed && (hot.length === 0 || !isDue)) return;
    const [{ version }] = (await tx.query(NEXT_VERSION, [Math.floor(now)])) as [{ version: number }];
    const listedAt = new Date(now).toISOString();
    const { windowMs } = this;
    await this.outbox.publish(tx, HotItemsListed, {
      version,
      listedAt,
      windowMs,
      items: [...hot],
      cooled: [...cooled],
    });
  }
}
