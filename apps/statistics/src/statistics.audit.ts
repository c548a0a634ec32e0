import { defineAudit } from '#audit';
import { OrderFacts, sameSet, StatisticsFacts } from '#contracts';

/** What the statistics service reports to the audit. */
export const statisticsAudit = defineAudit({
  facts: StatisticsFacts,
  sets: {
    placed: countedAs('placed'),
    paid: countedAs('paid'),
    cancelled: countedAs('cancelled'),
    refunded: countedAs('refunded'),
    sales: `
      SELECT extract(epoch FROM minute)::bigint || '/' || currency || '/' || paid || '/' || sales_minor || '/' || items AS id
      FROM sales_minute`,
  },
  numbers: {},
  invariants: [
    sameSet('every placed order is counted once', OrderFacts.placed, StatisticsFacts.placed),
    sameSet('every paid order is counted once', OrderFacts.everPaid, StatisticsFacts.paid),
    sameSet('every cancelled order is counted once', OrderFacts.cancelled, StatisticsFacts.cancelled),
    sameSet('every refund is counted once', OrderFacts.refunded, StatisticsFacts.refunded),
    sameSet(
      'the sales of every minute are those of its paid orders',
      OrderFacts.sales,
      StatisticsFacts.sales,
    ),
  ],
});

function countedAs(stage: string): string {
  return `SELECT cause_id AS id FROM order_count WHERE stage = '${stage}'`;
}
