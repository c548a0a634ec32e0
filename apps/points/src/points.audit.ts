import { defineAudit } from '#audit';
import { OrderFacts, PointsFacts, sameSet } from '#contracts';

/** What the points service reports to the audit. */
export const pointsAudit = defineAudit({
  facts: PointsFacts,
  sets: {
    awarded: "SELECT cause_id AS id FROM points_entry WHERE kind = 'award'",
    reversed: "SELECT cause_id AS id FROM points_entry WHERE kind = 'reversal'",
  },
  numbers: {},
  invariants: [
    sameSet('every paid order has exactly one points entry', OrderFacts.everPaid, PointsFacts.awarded),
    sameSet('every refund has exactly one points reversal', OrderFacts.refunded, PointsFacts.reversed),
  ],
});
