import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Handle } from '#messaging';
import { report, told } from '../frame/inside.js';
import { startApp } from '../frame/nest-app.js';
import { AWARD, GROUP, orderPaid, type OrderPaid } from './order-paid.js';

const OrderPaid = orderPaid(told('LAB_TOPIC'));

// #region ours
@Controller()
export class AwardPointsHandler {
  @Handle(OrderPaid, { name: GROUP, batch: 20 })
  async award(events: readonly OrderPaid[], tx: EntityManager): Promise<void> {
    for (const { orderId, buyerId } of events) await tx.query(AWARD, [orderId, buyerId]);
    await report({ kind: 'awarded', count: events.length });
    // What was written through `tx` commits with the receipts of these messages, or not at all.
  }
}
// #endregion

await startApp('consumer', { controllers: [AwardPointsHandler] });
await report({ kind: 'ready' });
