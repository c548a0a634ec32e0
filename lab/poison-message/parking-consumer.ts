import { Controller } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Handle } from '#messaging';
import { report, told } from '../frame/inside.js';
import { startApp } from '../frame/nest-app.js';
import { checkAddress } from './check-address.js';
import { GROUP, orderPaid, type OrderPaid, THANK } from './order-paid.js';

const OrderPaid = orderPaid(told('LAB_TOPIC'));

// #region ours
@Controller()
export class ThankBuyersHandler {
  @Handle(OrderPaid, { name: GROUP, retry: { attempts: 1_000, firstMs: 50, longestMs: 200, onDead: 'hold' } })
  async thank(order: OrderPaid, tx: EntityManager): Promise<void> {
    await checkAddress(order); // throws: this buyer's messages wait, nobody else's
    await tx.query(THANK, [order.buyerId, order.n]);
    await report({ kind: 'thanked' });
  }
}
// #endregion

await startApp('consumer', { controllers: [ThankBuyersHandler] });
await report({ kind: 'ready' });
