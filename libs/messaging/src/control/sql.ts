/** Subscriptions that an operator has paused, for all instances and across restarts. */
export const CREATE_PAUSED = `
CREATE TABLE messaging.paused (
  subscription text NOT NULL,
  paused_by    text NOT NULL,
  reason       text NOT NULL,
  paused_at    timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT paused_pk PRIMARY KEY (subscription)
);`;

/** Pausing what is paused changes nothing, and gives no row. */
export const PAUSE = `
INSERT INTO messaging.paused (subscription, paused_by, reason) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING RETURNING subscription`;

export const RESUME = 'DELETE FROM messaging.paused WHERE subscription = $1 RETURNING subscription';

export const LIST_PAUSED = 'SELECT subscription, paused_by, reason, paused_at FROM messaging.paused';

export const IS_PAUSED = 'SELECT EXISTS (SELECT FROM messaging.paused WHERE subscription = $1) AS paused';

/** SQLSTATE that begin_batch raises while its subscription is paused. */
export const PAUSED = 'SL002';
