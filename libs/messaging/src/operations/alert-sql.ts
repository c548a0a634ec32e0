/** Alerts, at most one open per figure, and their notices that are still to be sent to a webhook. */

export const OPEN_ALERTS = 'SELECT id, subject, kind, value FROM messaging.alert WHERE cleared_at IS NULL';

/** No row if another instance was first. $7: whether to store a notice for a webhook. */
export const RAISE = `
WITH raised AS (
  INSERT INTO messaging.alert (id, subject, kind, value, threshold, message) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (subject, kind) WHERE cleared_at IS NULL DO NOTHING RETURNING id
), told AS (
  INSERT INTO messaging.alert_notice (alert_id, what) SELECT id, 'raised' FROM raised WHERE $7
)
SELECT id FROM raised`;

/** Sets the figure and the text of an open alert to the current ones. */
export const UPDATE = `
UPDATE messaging.alert SET value = $3, message = $4, threshold = $5 WHERE subject = $1 AND kind = $2 AND cleared_at IS NULL`;

export const CLEAR = `
WITH cleared AS (
  UPDATE messaging.alert SET cleared_at = now() WHERE id = $1 AND cleared_at IS NULL RETURNING id
), told AS (
  INSERT INTO messaging.alert_notice (alert_id, what) SELECT id, 'cleared' FROM cleared WHERE $2
)
SELECT id FROM cleared`;

/** $2: only those that are not cleared. The newest first. */
export const LIST_ALERTS = `
SELECT id, subject, kind, value, threshold, message, raised_at, cleared_at FROM messaging.alert
WHERE NOT $2 OR cleared_at IS NULL ORDER BY raised_at DESC, id DESC LIMIT $1`;

/** In the order in which they occurred. */
export const NEXT_NOTICES = `
SELECT n.id AS notice_id, n.what, a.id, a.subject, a.kind, a.value, a.threshold, a.message, a.raised_at, a.cleared_at
FROM messaging.alert_notice n JOIN messaging.alert a ON a.id = n.alert_id ORDER BY n.id LIMIT $1`;

/** Drops the oldest notices when an endpoint has more than $1 waiting. */
export const DROP_NOTICES = `
DELETE FROM messaging.alert_notice
WHERE id <= (SELECT id FROM messaging.alert_notice ORDER BY id DESC OFFSET $1 LIMIT 1)`;

export const FORGET_NOTICE = 'DELETE FROM messaging.alert_notice WHERE id = $1';

/** Drops alerts that were cleared more than $1 days ago and have no notice left to send. */
export const FORGET_ALERTS = `
DELETE FROM messaging.alert a WHERE cleared_at < now() - make_interval(days => $1)
  AND NOT EXISTS (SELECT FROM messaging.alert_notice WHERE alert_id = a.id)`;
