import { Controller, Get } from '@nestjs/common';
import { SandboxDatabase } from '../sandbox.database.js';

const SUMMARY = `
SELECT (SELECT count(*) FROM checkout WHERE outcome = 'paid')::int AS "paymentsPaid",
       (SELECT coalesce(sum(amount_minor), 0) FROM checkout WHERE outcome = 'paid')::float8 AS "minorPaid",
       (SELECT count(*) FROM refund)::int AS refunds,
       (SELECT coalesce(sum(amount_minor), 0) FROM refund)::float8 AS "minorRefunded",
       (SELECT count(*) FROM callback WHERE delivered_at IS NULL)::int AS "callbacksWaiting",
       (SELECT count(*) FROM sms)::int AS sms,
       (SELECT count(*) FROM webhook WHERE type = 'order.paid')::int AS "webhooksPaid",
       (SELECT count(*) FROM webhook WHERE type = 'order.cancelled')::int AS "webhooksCancelled"`;

/** What the outside world has seen of the shop; the audit holds the shop's books against it. */
@Controller('summary')
export class SummaryController {
  constructor(private readonly database: SandboxDatabase) {}

  @Get()
  async get(): Promise<unknown> {
    const [summary] = (await this.database.query(SUMMARY)) as [unknown];
    return summary;
  }
}
