import { defineAudit } from '#audit';
import { OrderFacts, RecommendationFacts, sameSet, zero } from '#contracts';

/** What the recommendation service reports to the audit. */
export const recommendationAudit = defineAudit({
  facts: RecommendationFacts,
  sets: {
    profiled: 'SELECT order_id AS id FROM profiled_order',
    bought: "SELECT buyer_id || '/' || sku || '/' || bought AS id FROM buyer_item WHERE bought > 0",
  },
  numbers: {
    // With another queue receipts start from nothing and profiles do not, so that there may be more views than receipts.
    viewsLost: `SELECT greatest(coalesce(sum(handled), 0) - (SELECT coalesce(sum(viewed), 0) FROM buyer_item), 0)
      FROM messaging.progress WHERE subscription = 'recommendation.learn-from-views'`,
  },
  invariants: [
    sameSet(
      'every paid order is in the buyer profiles once',
      OrderFacts.everPaid,
      RecommendationFacts.profiled,
    ),
    sameSet('every profile has what its buyer has paid for', OrderFacts.bought, RecommendationFacts.bought),
    zero('views that are in no profile: 0', RecommendationFacts.viewsLost),
  ],
});
