import { Controller } from '@nestjs/common';
import { getFacts } from '#contracts';
import { HandleRequest } from '#requests';
import { idSet } from '#service-kit';
import { MerchantNotifierDatabase } from '../merchant-notifier.database.js';

@Controller()
export class MerchantNotifierFacts {
  constructor(private readonly database: MerchantNotifierDatabase) {}

  @HandleRequest(getFacts('merchant-notifier'))
  async facts() {
    const sets = {
      paid: await idSet(this.database, "SELECT order_id AS id FROM delivery WHERE type = 'order.paid'"),
      cancelled: await idSet(
        this.database,
        "SELECT order_id AS id FROM delivery WHERE type = 'order.cancelled'",
      ),
    };
    return { sets, figures: {} };
  }
}
