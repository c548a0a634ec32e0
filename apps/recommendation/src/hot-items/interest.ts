import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { SERVICE_CONFIG } from '#service-kit';
import type { RecommendationConfig } from '../recommendation.config.js';
import { HotItems } from './hot-items.js';
import { readSketch, storeSketch, type StoredSketch } from './stored-sketch.js';

/** Parts of the window, each with a sketch of its own: the window slides by one part. */
const PARTS = 6;

const CLOCK = 'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now';

/** Locks the parts, so that the counts of all instances come together: the next batch reads what this one has written. */
const OPEN = `
INSERT INTO interest (starts_at) SELECT unnest($1::timestamptz[]) AS starts_at ORDER BY starts_at
ON CONFLICT (starts_at) DO UPDATE SET starts_at = excluded.starts_at
RETURNING (extract(epoch FROM starts_at) * 1000)::float8 AS "startsAt", counters`;

const SAVE = `
UPDATE interest i SET counters = s.counters
FROM json_to_recordset($1::json) AS s(starts_at timestamptz, counters json) WHERE i.starts_at = s.starts_at`;

/** That somebody has looked at a product, or ordered it. */
export interface Sign {
  readonly sku: string;
  readonly points: number;
  /** When it happened. */
  readonly at: string;
}

/**
 * Counts the interest in products over a sliding window, in bounded memory: one sketch for each part of the window. They are
 * rows, written in the transaction of the receipts, so that a message that comes twice counts once and an instance that is
 * killed or loses its partitions loses nothing. What counts is when something happened: a backlog that is worked off late
 * makes nothing hot.
 */
@Injectable()
export class Interest {
  private readonly partMs: number;

  constructor(
    private readonly hotItems: HotItems,
    @Inject(SERVICE_CONFIG) { HOT_WINDOW_MS }: RecommendationConfig,
  ) {
    this.partMs = Math.floor(HOT_WINDOW_MS / PARTS);
  }

  async count(tx: EntityManager, signs: readonly Sign[]): Promise<void> {
    const [{ now }] = (await tx.query(CLOCK)) as [{ now: number }];
    const byPart = this.inWindow(signs, now);
    if (byPart.size === 0) return;
    const parts = [...byPart.keys()].map(startsAt => new Date(startsAt).toISOString());
    const opened = (await tx.query(OPEN, [parts])) as { startsAt: number; counters: StoredSketch }[];
    const saved = opened.map(({ startsAt, counters }) => {
      const sketch = readSketch(counters);
      for (const [sku, points] of byPart.get(startsAt)!) sketch.add(sku, points);
      return { starts_at: new Date(startsAt).toISOString(), counters: storeSketch(sketch) };
    });
    await tx.query(SAVE, [JSON.stringify(saved)]);
    this.hotItems.callAfter(tx);
  }

  /** The points of each product, by the start of the part of the window that they are in. */
  private inWindow(signs: readonly Sign[], now: number): Map<number, Map<string, number>> {
    const partOf = (at: number) => Math.floor(at / this.partMs) * this.partMs;
    const oldest = partOf(now) - (PARTS - 1) * this.partMs;
    const byPart = new Map<number, Map<string, number>>();
    for (const { sku, points, at } of signs) {
      // A clock that is ahead says nothing about tomorrow.
      const startsAt = partOf(Math.min(Date.parse(at), now));
      if (startsAt < oldest) continue;
      const part = byPart.get(startsAt) ?? new Map<string, number>();
      byPart.set(startsAt, part.set(sku, (part.get(sku) ?? 0) + points));
    }
    return byPart;
  }
}
