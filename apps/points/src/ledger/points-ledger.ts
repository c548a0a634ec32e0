import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { toSum } from '#contracts';

export interface Entry {
  readonly kind: 'award' | 'reversal';
  /** What it is for: the order of an award, the refund of a reversal. */
  readonly causeId: string;
  readonly orderId: string;
  readonly buyerId: string;
  /** Negative for a reversal. */
  readonly points: number;
}

// The inbox admits an event once. The key (kind, cause) would also prevent a second entry.
const ENTER = `
INSERT INTO points_entry (kind, cause_id, order_id, buyer_id, points)
SELECT kind, "causeId", "orderId", "buyerId", CASE kind
  -- No more goes back than the order has left: it may have been awarded by another rule.
  WHEN 'reversal' THEN greatest(points, -(SELECT coalesce(sum(p.points), 0) FROM points_entry p WHERE p.order_id = "orderId"))
  ELSE points END
FROM json_to_recordset($1::json) AS e(kind text, "causeId" uuid, "orderId" uuid, "buyerId" text, points bigint)`;

@Injectable()
export class PointsLedger {
  constructor(private readonly database: DataSource) {}

  async enter(tx: EntityManager, entries: readonly Entry[]): Promise<void> {
    await tx.query(ENTER, [JSON.stringify(entries)]);
  }

  async of(buyerId: string) {
    const entries = (await this.database.query(
      `SELECT order_id AS "orderId", kind, points::float8 AS points, at FROM points_entry
       WHERE buyer_id = $1 ORDER BY at DESC LIMIT 100`,
      [buyerId],
    )) as { orderId: string; kind: Entry['kind']; points: number; at: Date }[];
    const [{ balance }] = (await this.database.query(
      'SELECT coalesce(sum(points), 0)::text AS balance FROM points_entry WHERE buyer_id = $1',
      [buyerId],
    )) as [{ balance: string }];
    return {
      balance: toSum(balance),
      entries: entries.map(entry => ({ ...entry, at: entry.at.toISOString() })),
    };
  }
}
