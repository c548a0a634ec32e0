import { Controller } from '@nestjs/common';
import { getFacts } from '#contracts';
import { HandleRequest } from '#requests';
import { idSet } from '#service-kit';
import { NotificationDatabase } from '../notification.database.js';

@Controller()
export class NotificationFacts {
  constructor(private readonly database: NotificationDatabase) {}

  @HandleRequest(getFacts('notification'))
  async facts() {
    const of = (kind: string) =>
      idSet(this.database, `SELECT cause_id AS id FROM notice WHERE kind = 'order-${kind}'`);
    const sets = {
      placed: await of('placed'),
      paid: await of('paid'),
      cancelled: await of('cancelled'),
      refunded: await of('refunded'),
    };
    return { sets, figures: {} };
  }
}
