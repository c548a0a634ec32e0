import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { GetPoints, OrderPaid, OrderRefunded, PointsAwarded } from '#contracts';
import { Handle, HandleRequest, Outbox, type ReplyOf, type RequestOf, traceparentOf } from '#messaging';
import { pointsFor } from './points-for.js';
import { type Entry, PointsLedger } from './points-ledger.js';

/** Points for what was paid; the same points back when it is refunded. */
@Controller()
export class PointsOnOrder {
  constructor(
    private readonly ledger: PointsLedger,
    private readonly outbox: Outbox,
  ) {}

  @Handle(OrderPaid, { name: 'points.follow-order', batch: 500 })
  async award(events: readonly OrderPaid[], tx: EntityManager): Promise<void> {
    const entries = events.map(toEntry);
    await this.ledger.credit(tx, entries);
    await this.outbox.publish(tx, PointsAwarded, entries, { traceparents: events.map(traceparentOf) });
  }

  @Handle(OrderRefunded, { name: 'points.follow-order', batch: 500 })
  async reverse(events: readonly OrderRefunded[], tx: EntityManager): Promise<void> {
    await this.ledger.reverse(tx, events.map(toEntry));
  }

  @HandleRequest(GetPoints)
  async get({ buyerId }: RequestOf<typeof GetPoints>): Promise<ReplyOf<typeof GetPoints>> {
    return this.ledger.of(buyerId);
  }
}

function toEntry({ orderId, buyerId, totalMinor }: OrderPaid | OrderRefunded): Entry {
  return { orderId, buyerId, points: pointsFor(totalMinor) };
}
