import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { DomainError, Outbox, type RequestOf } from '#messaging';
import { MAX_QUANTITY, OrderPlaced, type PlaceOrder } from '#contracts';
import { quantitiesBySku } from '../quantities.js';

const INSERT = `
INSERT INTO orders (id, buyer_id, origin, status, items, placed_at)
VALUES ($1, $2, 'ordinary', 'pending_stock', $3, $4) ON CONFLICT (id) DO NOTHING RETURNING id`;

export class QuantityTooHigh extends DomainError {
  readonly code = 'invalid_input';
  constructor(
    readonly sku: string,
    readonly quantity: number,
  ) {
    super(`${sku}: ${quantity} in total exceeds the limit per order of ${MAX_QUANTITY}; order less of it`);
  }
}

/** Accepts an ordinary order. The catalog reports its price and its availability through events. */
@Injectable()
export class PlaceOrderUseCase {
  constructor(
    private readonly database: DataSource,
    private readonly outbox: Outbox,
  ) {}

  /** The caller chooses the order's id, so that a retry after a lost answer orders once. */
  async place({ orderId, buyerId, items }: RequestOf<typeof PlaceOrder>): Promise<{ orderId: string }> {
    const merged = [...quantitiesBySku(items)].map(([sku, quantity]) => ({ sku, quantity }));
    const tooMany = merged.find(item => item.quantity > MAX_QUANTITY);
    if (tooMany !== undefined) throw new QuantityTooHigh(tooMany.sku, tooMany.quantity);
    const placedAt = new Date();
    await this.database.transaction(async tx => {
      const stored = JSON.stringify(merged.map(item => ({ ...item, unitPriceMinor: null })));
      const inserted = (await tx.query(INSERT, [orderId, buyerId, stored, placedAt])) as unknown[];
      if (inserted.length === 0) return;
      await this.outbox.publish(tx, OrderPlaced, {
        orderId,
        buyerId,
        origin: { kind: 'ordinary' },
        items: merged,
        placedAt: placedAt.toISOString(),
      });
    });
    return { orderId };
  }
}
