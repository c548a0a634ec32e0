import { Controller } from '@nestjs/common';
import { GetStatistics } from '#contracts';
import type { ReplyOf, RequestOf } from '#messaging';
import { HandleRequest } from '#requests';
import { SalesReport } from './report/sales-report.js';

/** The queries that the statistics service answers. */
@Controller()
export class StatisticsRequests {
  constructor(private readonly report: SalesReport) {}

  @HandleRequest(GetStatistics)
  get(request: RequestOf<typeof GetStatistics>): Promise<ReplyOf<typeof GetStatistics>> {
    return this.report.get(request);
  }
}
