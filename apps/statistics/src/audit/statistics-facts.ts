import { Controller } from '@nestjs/common';
import { getFacts } from '#contracts';
import { HandleRequest } from '#requests';
import { idSet } from '#service-kit';
import { StatisticsDatabase } from '../statistics.database.js';

@Controller()
export class StatisticsFacts {
  constructor(private readonly database: StatisticsDatabase) {}

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
    return { sets, figures: {} };
  }
}
