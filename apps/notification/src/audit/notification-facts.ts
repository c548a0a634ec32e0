import { Controller } from '@nestjs/common';
import { getFacts, listDeadLetters } from '#contracts';
import { HandleRequest, idSet, MessagingMonitor, type RequestOf } from '#messaging';
import { NotificationDatabase } from '../notification.database.js';

@Controller()
export class NotificationFacts {
  constructor(
    private readonly database: NotificationDatabase,
    private readonly monitor: MessagingMonitor,
  ) {}

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
    return { sets, figures: {}, ...(await this.monitor.facts()) };
  }

  @HandleRequest(listDeadLetters('notification'))
  async deadLetters({ limit }: RequestOf<ReturnType<typeof listDeadLetters>>) {
    return { deadLetters: await this.monitor.deadLetters(limit) };
  }
}
