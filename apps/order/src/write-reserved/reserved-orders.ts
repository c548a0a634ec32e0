import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { SeckillReserved } from '#contracts';

// The table's unique constraint rejects a second order for the same reservation.
const INSERT = `
INSERT INTO orders (id, buyer_id, origin, campaign_id, reservation_id, status, items, total_minor, currency,
                    placed_at, priced_at, pay_by)
SELECT id, buyer_id, 'seckill', campaign_id, reservation_id, 'awaiting_payment', items, total_minor, currency,
       placed_at, placed_at, pay_by
FROM json_to_recordset($1::json) AS o(
  id uuid, buyer_id text, campaign_id uuid, reservation_id uuid, items jsonb, total_minor bigint, currency text,
  placed_at timestamptz, pay_by timestamptz)`;

/** Writes the orders of flash sales from their reservations. */
@Injectable()
export class ReservedOrders {
  async write(tx: EntityManager, reservations: readonly SeckillReserved[]): Promise<void> {
    await tx.query(INSERT, [JSON.stringify(reservations.map(toRow))]);
  }
}

function toRow(event: SeckillReserved): object {
  const { sku, quantity, unitPriceMinor } = event;
  return {
    id: event.orderId,
    buyer_id: event.buyerId,
    campaign_id: event.campaignId,
    reservation_id: event.reservationId,
    items: [{ sku, quantity, unitPriceMinor }],
    total_minor: quantity * unitPriceMinor,
    currency: event.currency,
    placed_at: event.reservedAt,
    pay_by: event.payBy,
  };
}
