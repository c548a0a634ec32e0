import { Controller } from '@nestjs/common';
import { getNaiveBooks, type NaiveBooks, NaiveWriteOrder } from '#contracts';
import type { ReplyOf, RequestOf } from '#messaging';
import { HandleRequest } from '#requests';
import { NaiveOrders } from './naive-orders.js';

@Controller()
export class NaiveOrdersController {
  constructor(private readonly orders: NaiveOrders) {}

  @HandleRequest(NaiveWriteOrder)
  async write(bought: RequestOf<typeof NaiveWriteOrder>): Promise<ReplyOf<typeof NaiveWriteOrder>> {
    await this.orders.write(bought);
    return {};
  }

  @HandleRequest(getNaiveBooks('order'))
  books(): Promise<NaiveBooks> {
    return this.orders.books();
  }
}
