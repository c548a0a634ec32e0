import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OrderPaid, OrderRefunded, PointsAwarded } from '#contracts';
import { Handle, Outbox, traceparentOf } from '#messaging';
import { pointsBack, pointsFor } from './points-for.js';
import { type Entry, PointsLedger } from './points-ledger.js';

/** Awards points for paid orders, and takes back the points of refunded items. */
@Controller()
export class AwardPointsHandler {
  constructor(
    private readonly ledger: PointsLedger,
    private readonly outbox: Outbox,
  ) {}

  @Handle(OrderPaid, { name: 'points.follow-order', batch: 500 })
  async award(events: readonly OrderPaid[], tx: EntityManager): Promise<void> {
    const awards = events.map(({ orderId, buyerId, totalMinor, currency }) => ({
      orderId,
      buyerId,
      points: pointsFor(totalMinor, currency),
    }));
    await this.ledger.enter(
      tx,
      awards.map(award => ({ ...award, kind: 'award' as const, causeId: award.orderId })),
    );
    await this.outbox.publish(tx, PointsAwarded, awards, { traceparents: events.map(traceparentOf) });
  }

  @Handle(OrderRefunded, { name: 'points.follow-order', batch: 500 })
  async reverse(events: readonly OrderRefunded[], tx: EntityManager): Promise<void> {
    await this.ledger.enter(tx, events.map(toReversal));
  }
}

function toReversal(event: OrderRefunded): Entry {
  const { refundId, orderId, buyerId, currency } = event;
  const points = pointsBack(event, currency);
  return { kind: 'reversal', causeId: refundId, orderId, buyerId, points: -points };
}
