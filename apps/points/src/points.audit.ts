import { defineAudit } from '#audit';
import { OrderFacts, PointsFacts, sameSet } from '#contracts';

/** What the points service reports to the audit. */
export const pointsAudit = defineAudit({
  facts: PointsFacts,
  sets: {
    awarded: "SELECT cause_id AS id FROM points_entry WHERE kind = 'award'",
    reversed: "SELECT cause_id AS id FROM points_entry WHERE kind = 'reversal'",
    earned:
      "SELECT order_id || '/' || buyer_id || '/' || points AS id FROM points_entry WHERE kind = 'award'",
    lost: "SELECT order_id || '/' || buyer_id || '/' || -sum(points) AS id FROM points_entry WHERE kind = 'reversal' GROUP BY order_id, buyer_id",
  },
  numbers: {},
  invariants: [
    sameSet('every paid order has exactly one points entry', OrderFacts.everPaid, PointsFacts.awarded),
    sameSet('every refund has exactly one points reversal', OrderFacts.refunded, PointsFacts.reversed),
    sameSet('every paid order earned its points', OrderFacts.pointsEarned, PointsFacts.earned),
    sameSet('every refunded order lost the points of its refunds', OrderFacts.pointsLost, PointsFacts.lost),
  ],
});
