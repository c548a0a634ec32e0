import { Controller } from '@nestjs/common';
import { getFacts, listDeadLetters } from '#contracts';
import { HandleRequest, idSet, MessagingMonitor, type RequestOf } from '#messaging';
import { MerchantNotifierDatabase } from '../merchant-notifier.database.js';

@Controller()
export class MerchantNotifierFacts {
  constructor(
    private readonly database: MerchantNotifierDatabase,
    private readonly monitor: MessagingMonitor,
  ) {}

  @HandleRequest(getFacts('merchant-notifier'))
  async facts() {
    const sets = {
      paid: await idSet(this.database, "SELECT order_id AS id FROM delivery WHERE type = 'order.paid'"),
      cancelled: await idSet(
        this.database,
        "SELECT order_id AS id FROM delivery WHERE type = 'order.cancelled'",
      ),
    };
    return { sets, figures: {}, ...(await this.monitor.facts()) };
  }

  @HandleRequest(listDeadLetters('merchant-notifier'))
  async deadLetters({ limit }: RequestOf<ReturnType<typeof listDeadLetters>>) {
    return { deadLetters: await this.monitor.deadLetters(limit) };
  }
}
