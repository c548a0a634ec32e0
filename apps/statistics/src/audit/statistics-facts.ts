import { Controller } from '@nestjs/common';
import { getFacts, listDeadLetters } from '#contracts';
import { HandleRequest, idSet, MessagingMonitor, type RequestOf } from '#messaging';
import { StatisticsDatabase } from '../statistics.database.js';

@Controller()
export class StatisticsFacts {
  constructor(
    private readonly database: StatisticsDatabase,
    private readonly monitor: MessagingMonitor,
  ) {}

  @HandleRequest(getFacts('statistics'))
  async facts() {
    const sets = {
      placed: await idSet(this.database, "SELECT cause_id AS id FROM order_count WHERE stage = 'placed'"),
      paid: await idSet(this.database, "SELECT cause_id AS id FROM order_count WHERE stage = 'paid'"),
      cancelled: await idSet(
        this.database,
        "SELECT cause_id AS id FROM order_count WHERE stage = 'cancelled'",
      ),
      refunded: await idSet(this.database, "SELECT cause_id AS id FROM order_count WHERE stage = 'refunded'"),
    };
    return { sets, figures: {}, ...(await this.monitor.facts()) };
  }

  @HandleRequest(listDeadLetters('statistics'))
  async deadLetters({ limit }: RequestOf<ReturnType<typeof listDeadLetters>>) {
    return { deadLetters: await this.monitor.deadLetters(limit) };
  }
}
