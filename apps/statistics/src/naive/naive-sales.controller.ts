import { Controller } from '@nestjs/common';
import { getNaiveBooks, type NaiveBooks, NaiveCount } from '#contracts';
import type { ReplyOf, RequestOf } from '#messaging';
import { HandleRequest } from '#requests';
import { NaiveSales } from './naive-sales.js';

@Controller()
export class NaiveSalesController {
  constructor(private readonly sales: NaiveSales) {}

  @HandleRequest(NaiveCount)
  async count(bought: RequestOf<typeof NaiveCount>): Promise<ReplyOf<typeof NaiveCount>> {
    await this.sales.count(bought);
    return {};
  }

  @HandleRequest(getNaiveBooks('statistics'))
  books(): Promise<NaiveBooks> {
    return this.sales.books();
  }
}
