import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { PointsDatabase } from '../points.database.js';

export interface Entry {
  readonly orderId: string;
  readonly buyerId: string;
  readonly points: number;
}

// The inbox lets an event in once; the key (order, kind) would stop a second entry all the same.
const CREDIT = `
INSERT INTO points_entry (order_id, kind, buyer_id, points)
SELECT "orderId", $2, "buyerId", points
FROM json_to_recordset($1::json) AS e("orderId" uuid, "buyerId" text, points bigint)`;

@Injectable()
export class PointsLedger {
  constructor(private readonly database: PointsDatabase) {}

  async credit(tx: EntityManager, entries: readonly Entry[]): Promise<void> {
    await tx.query(CREDIT, [JSON.stringify(entries), 'award']);
  }

  async reverse(tx: EntityManager, entries: readonly Entry[]): Promise<void> {
    await tx.query(CREDIT, [
      JSON.stringify(entries.map(entry => ({ ...entry, points: -entry.points }))),
      'reversal',
    ]);
  }

  async of(buyerId: string) {
    const entries = (await this.database.query(
      `SELECT order_id AS "orderId", kind, points::float8 AS points, at FROM points_entry
       WHERE buyer_id = $1 ORDER BY at DESC LIMIT 100`,
      [buyerId],
    )) as { orderId: string; kind: 'award' | 'reversal'; points: number; at: Date }[];
    const [{ balance }] = (await this.database.query(
      'SELECT coalesce(sum(points), 0)::float8 AS balance FROM points_entry WHERE buyer_id = $1',
      [buyerId],
    )) as [{ balance: number }];
    return { balance, entries: entries.map(entry => ({ ...entry, at: entry.at.toISOString() })) };
  }
}
