import { defineAudit } from '#audit';
import { CatalogFacts, OrderFacts, sameSet, sum, zero } from '#contracts';

/** What the catalog reports to the audit. */
export const catalogAudit = defineAudit({
  facts: CatalogFacts,
  sets: {
    released: "SELECT DISTINCT order_id AS id FROM stock_hold WHERE status = 'released'",
    returned: 'SELECT DISTINCT refund_id AS id FROM stock_return',
    linesReserved: holds('reserved'),
    linesSold: holds('sold'),
    linesReleased: holds('released'),
    linesReturned:
      "SELECT refund_id || '/' || order_id || '/' || sku || '/' || quantity AS id FROM stock_return",
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
    returnsOff: `SELECT count(*) FROM stock_hold h FULL JOIN (
        SELECT order_id, sku, sum(quantity) AS quantity FROM stock_return GROUP BY 1, 2
      ) AS r USING (order_id, sku) WHERE coalesce(h.returned, 0) <> coalesce(r.quantity, 0)`,
    // What a stock was opened with is not known of those from before it was kept.
    changesOff: `SELECT count(*) FROM stock s LEFT JOIN (
        SELECT sku, sum(by) AS by FROM stock_change GROUP BY sku
      ) AS c USING (sku) WHERE s.opened_at > '-infinity' AND s.initial <> s.opening + coalesce(c.by, 0)`,
    newsWaiting: 'SELECT count(*) FROM product_news',
    // What was released before a pause or a cancellation is finished all the same.
    chunksLeft: `SELECT count(*) FROM publication_chunk c JOIN publication p ON p.id = c.publication_id
      WHERE c.done_at IS NULL
        AND (c.released_at IS NOT NULL OR (p.paused_at IS NULL AND p.cancelled_at IS NULL))`,
    publicationsPaused: `SELECT count(*) FROM publication p WHERE p.paused_at IS NOT NULL AND p.cancelled_at IS NULL
      AND (p.status = 'receiving' OR EXISTS (
        SELECT FROM publication_chunk c WHERE c.publication_id = p.id AND c.done_at IS NULL))`,
    cancelledOff: `SELECT count(*) FROM publication p WHERE p.cancelled_at IS NOT NULL AND EXISTS (
      SELECT FROM publication_chunk c WHERE c.publication_id = p.id
      AND (c.done_at IS NULL AND c.dropped_at IS NULL OR c.dropped_at IS NOT NULL AND c.steps > 0))`,
    picturesMissing:
      'SELECT count(*) FROM product p WHERE NOT EXISTS (SELECT FROM product_picture WHERE sku = p.sku)',
    pagesMissing:
      'SELECT count(*) FROM product p WHERE NOT EXISTS (SELECT FROM product_page WHERE sku = p.sku)',
    notOnSale: 'SELECT count(*) FROM product p WHERE NOT EXISTS (SELECT FROM stock WHERE sku = p.sku)',
    // No later publication has taken anything from the newest one. From before it was kept, products have number 0.
    rowsLost: `SELECT count(*) FROM (SELECT DISTINCT ON (store) * FROM publication ORDER BY store, number DESC) AS p
      WHERE (EXISTS (SELECT FROM product WHERE publication = p.number)
             OR NOT EXISTS (SELECT FROM product WHERE publication = 0 AND store = p.store))
        AND (SELECT coalesce(sum(size), 0) FROM publication_chunk WHERE publication_id = p.id AND steps > 0)
          <> (SELECT count(*) FROM publication_rejection WHERE publication_id = p.id)
           + (SELECT count(*) FROM product WHERE publication = p.number)`,
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
    zero('lines whose returns do not add up: 0', CatalogFacts.returnsOff),
    zero('SKUs whose stock is not what was published and changed: 0', CatalogFacts.changesOff),
    zero('parts of publications still to be published: 0', CatalogFacts.chunksLeft),
    zero('stores whose newest publication lost rows: 0', CatalogFacts.rowsLost),
    zero('publications that are paused and wait to be resumed: 0', CatalogFacts.publicationsPaused),
    zero('cancelled publications that do not add up: 0', CatalogFacts.cancelledOff),
    zero('products without pictures: 0', CatalogFacts.picturesMissing),
    zero('products without a page: 0', CatalogFacts.pagesMissing),
    zero('products that never came on sale: 0', CatalogFacts.notOnSale),
    sameSet(
      'every line of an ordinary order that waits for payment has its stock reserved',
      OrderFacts.linesAwaiting,
      CatalogFacts.linesReserved,
    ),
    sameSet(
      'every line of a paid ordinary order has its stock sold',
      OrderFacts.linesSold,
      CatalogFacts.linesSold,
    ),
    sameSet(
      'every line of a cancelled ordinary order gave its stock back',
      OrderFacts.linesCancelled,
      CatalogFacts.linesReleased,
    ),
    sameSet(
      'every refunded line of an ordinary order gave its stock back',
      OrderFacts.linesRefunded,
      CatalogFacts.linesReturned,
    ),
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
  // Nothing is lost by a pause, but nothing is settled either.
  onTheWay: [CatalogFacts.publicationsPaused, CatalogFacts.newsWaiting],
});

/** What an audit compares with the lines of orders. */
function holds(status: string): string {
  return `SELECT order_id || '/' || sku || '/' || quantity AS id FROM stock_hold WHERE status = '${status}'`;
}
