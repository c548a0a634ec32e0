/**
 * How long the rest of the transaction may take, in ms. A process that is frozen in the middle of it must not sell to
 * buyers who were told long ago that their click was not decided.
 */
const DECIDE_MS = 2_000;

/**
 * Reads everything that the decision on a batch depends on, in one round trip. It locks the campaign's row
 * first, so that one batch of a campaign is decided at a time, across all instances. Later statements of the
 * function `open_batch`, which a migration creates, read the rest under the lock, so they see what the previous holder of the lock committed.
 *
 * A sale fills its tables within seconds, long before they are analyzed. A sequential scan is right for the
 * first batch and ruinous for the hundredth, so it is turned off: all buyers of a batch are found by one walk
 * down an index.
 */
export const OPEN_BATCH = `SELECT campaign, tallies, recent, blocked, again, set_config('transaction_timeout', '${DECIDE_MS}', true)
   FROM open_batch($1, $2, $3, make_interval(secs => $4))`;

/**
 * Takes the stock in one statement for the whole batch. It checks the conditions again: if the decision were
 * wrong, the stock UPDATE would touch no row or the tally would exceed its limit, and nothing would be
 * committed.
 */
export const TAKE_STOCK = `
WITH clicks AS MATERIALIZED (
  SELECT * FROM json_to_recordset($2::json) AS c("reservationId" uuid, "orderId" uuid, "buyerId" text, quantity int)
), stock AS (
  UPDATE campaign SET available = available - $3, reserved = reserved + $3, version = version + 1
  WHERE id = $1 AND available >= $3 AND now() < ends_at
    AND clock_timestamp() < to_timestamp($5::float8 / 1000) RETURNING available, version
), tallies AS (
  INSERT INTO buyer_tally AS t (campaign_id, buyer_id, quantity)
  SELECT $1, "buyerId", sum(quantity) FROM clicks GROUP BY "buyerId" ORDER BY "buyerId"
  ON CONFLICT (campaign_id, buyer_id) DO UPDATE SET quantity = t.quantity + excluded.quantity
  RETURNING quantity
), reservations AS (
  INSERT INTO reservation (id, order_id, campaign_id, buyer_id, quantity, reserved_at)
  SELECT "reservationId", "orderId", $1, "buyerId", quantity, $4 FROM clicks
)
SELECT s.available, s.version, (SELECT max(quantity) FROM tallies) AS "highestTally" FROM stock s`;
