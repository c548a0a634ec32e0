import { defineAudit } from '#audit';
import { OrderFacts, sameSet, SeckillFacts, sum, zero } from '#contracts';

/** Naive campaigns are judged apart. */
const OWN = "(SELECT * FROM campaign WHERE mode <> 'sync')";

/** What the flash-sale service reports to the audit. */
export const seckillAudit = defineAudit({
  facts: SeckillFacts,
  sets: {
    reservations: `
      SELECT r.id || '/' || r.campaign_id || '/' || r.order_id || '/' || r.buyer_id || '/' || c.sku || '/' || r.quantity || '/' ||
        r.quantity * c.price_minor AS id
      FROM reservation r JOIN campaign c ON c.id = r.campaign_id`,
    soldOrders: "SELECT order_id AS id FROM reservation WHERE status = 'sold'",
    released: "SELECT order_id AS id FROM reservation WHERE status = 'released'",
    kept: "SELECT order_id AS id FROM reservation WHERE status <> 'released'",
  },
  numbers: {
    stock: 'coalesce(sum(stock), 0)',
    available: 'coalesce(sum(available), 0)',
    reserved: 'coalesce(sum(reserved), 0)',
    sold: 'coalesce(sum(sold), 0)',
    campaignsOff: `SELECT count(*) FROM ${OWN} c LEFT JOIN (
        SELECT campaign_id, sum(quantity) FILTER (WHERE status = 'reserved') AS reserved,
               sum(quantity) FILTER (WHERE status = 'sold') AS sold
        FROM reservation GROUP BY campaign_id) AS r ON r.campaign_id = c.id
      WHERE c.reserved <> coalesce(r.reserved, 0) OR c.sold <> coalesce(r.sold, 0)
         OR c.available + c.reserved + c.sold <> c.stock`,
    oversold: `SELECT coalesce(sum(greatest(r.quantity - c.stock, 0)), 0) FROM ${OWN} c JOIN (
        SELECT campaign_id, sum(quantity) AS quantity FROM reservation WHERE status <> 'released' GROUP BY 1
      ) AS r ON r.campaign_id = c.id`,
    limitsBroken: `SELECT count(*) FROM (
        SELECT 1 FROM reservation r JOIN campaign c ON c.id = r.campaign_id WHERE r.status <> 'released'
        GROUP BY r.campaign_id, r.buyer_id, c.per_user_limit HAVING sum(r.quantity) > c.per_user_limit
      ) AS broken`,
    talliesOff: `SELECT count(*) FROM buyer_tally t FULL JOIN (
        SELECT campaign_id, buyer_id, sum(quantity) AS quantity FROM reservation WHERE status <> 'released' GROUP BY 1, 2
      ) AS r USING (campaign_id, buyer_id) WHERE coalesce(t.quantity, 0) <> coalesce(r.quantity, 0)`,
  },
  from: `${OWN} AS campaign`,
  invariants: [
    sum(
      'sold + reserved + available = stock, for every campaign',
      [SeckillFacts.sold, SeckillFacts.reserved, SeckillFacts.available],
      SeckillFacts.stock,
    ),
    zero('campaigns whose stock does not add up: 0', SeckillFacts.campaignsOff),
    zero('campaigns oversold: 0', SeckillFacts.oversold),
    zero('per-user limit broken: 0', SeckillFacts.limitsBroken),
    zero('buyers whose tally is not what they hold: 0', SeckillFacts.talliesOff),
    sameSet(
      'every paid flash-sale order has its stock sold',
      OrderFacts.seckillSold,
      SeckillFacts.soldOrders,
    ),
    sameSet('every order that holds campaign stock still has it', OrderFacts.seckillKept, SeckillFacts.kept),
    sameSet(
      'every given-up flash-sale order gave its stock back once',
      OrderFacts.seckillGivenUp,
      SeckillFacts.released,
    ),
  ],
});
