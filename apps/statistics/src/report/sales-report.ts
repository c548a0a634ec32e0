import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type GetStatistics, toSum } from '#contracts';
import { type ReplyOf, type RequestOf } from '#messaging';

type Reply = ReplyOf<typeof GetStatistics>;

/** The funnel of orders, and the sales of the last minutes. */
@Injectable()
export class SalesReport {
  constructor(private readonly database: DataSource) {}

  async get({ minutes }: RequestOf<typeof GetStatistics>): Promise<Reply> {
    const stages = (await this.database.query(
      'SELECT stage, count(*)::int AS count FROM order_count GROUP BY stage',
    )) as { stage: keyof Reply['funnel']; count: number }[];
    const perMinute = (await this.database.query(
      `SELECT minute, currency, paid, sales_minor::text AS "salesMinor", items::text AS items FROM sales_minute
       WHERE minute > now() - make_interval(mins => $1) ORDER BY minute DESC, currency`,
      [minutes],
    )) as { minute: Date; currency: string; paid: number; salesMinor: string; items: string }[];
    const funnel = { placed: 0, paid: 0, cancelled: 0, refunded: 0 };
    for (const { stage, count } of stages) funnel[stage] = count;
    return { funnel, perMinute: perMinute.map(toMinute) };
  }
}

function toMinute(row: {
  minute: Date;
  currency: string;
  paid: number;
  salesMinor: string;
  items: string;
}): Reply['perMinute'][number] {
  const { minute, salesMinor, items } = row;
  return { ...row, minute: minute.toISOString(), salesMinor: toSum(salesMinor), items: toSum(items) };
}
