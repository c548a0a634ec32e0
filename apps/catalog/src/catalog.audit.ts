import { defineAudit } from '#audit';
import { CatalogFacts, OrderFacts, sameSet, sum, zero } from '#contracts';

/** What the catalog reports to the audit. */
export const catalogAudit = defineAudit({
  facts: CatalogFacts,
  sets: {
    released: "SELECT DISTINCT order_id AS id FROM stock_hold WHERE status = 'released'",
    returned: 'SELECT DISTINCT refund_id AS id FROM stock_return',
  },
  numbers: {
    initial: 'coalesce(sum(initial), 0)',
    available: 'coalesce(sum(available), 0)',
    reserved: 'coalesce(sum(reserved), 0)',
    sold: 'coalesce(sum(sold), 0)',
    skusOff: `SELECT count(*) FROM stock s LEFT JOIN (
        SELECT sku, sum(quantity) FILTER (WHERE status = 'reserved') AS reserved,
               sum(quantity - returned) FILTER (WHERE status = 'sold') AS sold FROM stock_hold GROUP BY sku
      ) AS h USING (sku)
      WHERE s.reserved <> coalesce(h.reserved, 0) OR s.sold <> coalesce(h.sold, 0)
         OR s.available + s.reserved + s.sold <> s.initial`,
    oversold: `SELECT count(*) FROM stock s JOIN (
        SELECT sku, sum(quantity - returned) AS held FROM stock_hold WHERE status <> 'released' GROUP BY sku
      ) AS h USING (sku) WHERE h.held > s.initial`,
  },
  from: 'stock',
  invariants: [
    sum(
      'sold + reserved + available = initial, for every SKU',
      [CatalogFacts.sold, CatalogFacts.reserved, CatalogFacts.available],
      CatalogFacts.initial,
    ),
    zero('SKUs whose stock does not add up: 0', CatalogFacts.skusOff),
    zero('SKUs oversold: 0', CatalogFacts.oversold),
    sameSet(
      'every cancelled ordinary order gave its stock back once',
      OrderFacts.ordinaryCancelled,
      CatalogFacts.released,
    ),
    sameSet(
      'every refund of an ordinary order gave its stock back once',
      OrderFacts.ordinaryRefunded,
      CatalogFacts.returned,
    ),
  ],
});
