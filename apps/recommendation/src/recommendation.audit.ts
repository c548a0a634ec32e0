import { defineAudit } from '#audit';
import { OrderFacts, RecommendationFacts, sameSet } from '#contracts';

/** What the recommendation service reports to the audit. */
export const recommendationAudit = defineAudit({
  facts: RecommendationFacts,
  sets: {
    profiled: 'SELECT order_id AS id FROM profiled_order',
    bought: "SELECT buyer_id || '/' || sku || '/' || bought AS id FROM buyer_item WHERE bought > 0",
  },
  numbers: {},
  invariants: [
    sameSet(
      'every paid order is in the buyer profiles once',
      OrderFacts.everPaid,
      RecommendationFacts.profiled,
    ),
    sameSet('every profile has what its buyer has paid for', OrderFacts.bought, RecommendationFacts.bought),
  ],
});
