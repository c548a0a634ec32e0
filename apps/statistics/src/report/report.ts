import { Controller } from '@nestjs/common';
import { GetStatistics } from '#contracts';
import { type ReplyOf, type RequestOf } from '#messaging';
import { HandleRequest } from '#requests';
import { StatisticsDatabase } from '../statistics.database.js';

type Reply = ReplyOf<typeof GetStatistics>;

@Controller()
export class Report {
  constructor(private readonly database: StatisticsDatabase) {}

  @HandleRequest(GetStatistics)
  async get({ minutes }: RequestOf<typeof GetStatistics>): Promise<Reply> {
    const stages = (await this.database.query(
      'SELECT stage, count(*)::int AS count FROM order_count GROUP BY stage',
    )) as { stage: keyof Reply['funnel']; count: number }[];
    const perMinute = (await this.database.query(
      `SELECT minute, currency, paid, sales_minor::float8 AS "salesMinor", items::float8 AS items FROM sales_minute
       WHERE minute > now() - make_interval(mins => $1) ORDER BY minute DESC, currency`,
      [minutes],
    )) as (Reply['perMinute'][number] & { minute: Date })[];
    const funnel = { placed: 0, paid: 0, cancelled: 0, refunded: 0 };
    for (const { stage, count } of stages) funnel[stage] = count;
    return { funnel, perMinute: perMinute.map(row => ({ ...row, minute: row.minute.toISOString() })) };
  }
}
