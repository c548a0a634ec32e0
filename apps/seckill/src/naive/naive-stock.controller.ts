import { Controller } from '@nestjs/common';
import { getNaiveBooks, type NaiveBooks, NaiveCheckRisk, NaiveTakeStock } from '#contracts';
import type { ReplyOf, RequestOf } from '#messaging';
import { HandleRequest } from '#requests';
import { NaiveStock } from './naive-stock.js';

@Controller()
export class NaiveStockController {
  constructor(private readonly stock: NaiveStock) {}

  @HandleRequest(NaiveCheckRisk)
  async checkRisk({ buyerId }: RequestOf<typeof NaiveCheckRisk>): Promise<ReplyOf<typeof NaiveCheckRisk>> {
    await this.stock.checkRisk(buyerId);
    return {};
  }

  @HandleRequest(NaiveTakeStock)
  take(click: RequestOf<typeof NaiveTakeStock>): Promise<ReplyOf<typeof NaiveTakeStock>> {
    return this.stock.take(click);
  }

  @HandleRequest(getNaiveBooks('seckill'))
  books(): Promise<NaiveBooks> {
    return this.stock.books();
  }
}
