import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Handle, Outbox, Timers, traceparentOf } from '#messaging';
import { OrderPlaced, PaymentDue, SeckillReserved } from '#contracts';

// An order that were there already would be a second one of its reservation: the table refuses that, loudly.
const INSERT = `
INSERT INTO orders (id, buyer_id, origin, campaign_id, reservation_id, status, items, total_minor, currency,
                    placed_at, priced_at, pay_by)
SELECT id, buyer_id, 'seckill', campaign_id, reservation_id, 'awaiting_payment', items, total_minor, currency,
       placed_at, placed_at, pay_by
FROM json_to_recordset($1::json) AS o(
  id uuid, buyer_id text, campaign_id uuid, reservation_id uuid, items jsonb, total_minor bigint, currency text,
  placed_at timestamptz, pay_by timestamptz)`;

/** Writes the orders of a flash sale, some milliseconds after their buyers had their answer. */
@Controller()
export class WriteReservedOrders {
  constructor(
    private readonly outbox: Outbox,
    private readonly timers: Timers,
  ) {}

  @Handle(SeckillReserved, { name: 'order.write-reserved', batch: 500 })
  async write(events: readonly SeckillReserved[], tx: EntityManager): Promise<void> {
    await tx.query(INSERT, [JSON.stringify(events.map(toRow))]);
    await this.timers.schedule(
      tx,
      PaymentDue,
      events.map(({ orderId, payBy }) => ({ event: { orderId }, dueAt: new Date(payBy) })),
    );
    await this.outbox.publish(tx, OrderPlaced, events.map(toPlaced), {
      traceparents: events.map(traceparentOf),
    });
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

function toPlaced(event: SeckillReserved): OrderPlaced {
  const { orderId, buyerId, campaignId, reservationId, sku, quantity, reservedAt } = event;
  return {
    orderId,
    buyerId,
    origin: { kind: 'seckill', campaignId, reservationId },
    items: [{ sku, quantity }],
    placedAt: reservedAt,
  };
}
