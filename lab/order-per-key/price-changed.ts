import { z } from 'zod';
import { defineEvent, type EventOf } from '#messaging';

/** The n-th price of a product. */
export const priceChanged = (topic: string) =>
  defineEvent({
    type: 'lab.price-changed.v1',
    topic,
    key: event => event.sku,
    schema: z.object({ sku: z.string(), version: z.int() }),
  });
export type PriceChanged = EventOf<ReturnType<typeof priceChanged>>;

/** `applied` is the log of what took effect, in order; `failure` remembers which changes have failed once. */
export const SCHEMA = `
CREATE TABLE price (sku text PRIMARY KEY, version int NOT NULL);
CREATE TABLE applied (id bigint GENERATED ALWAYS AS IDENTITY, sku text NOT NULL, version int NOT NULL);
CREATE TABLE failure (sku text NOT NULL, version int NOT NULL, PRIMARY KEY (sku, version))`;

export const APPLY = `
WITH logged AS (INSERT INTO applied (sku, version) VALUES ($1, $2))
INSERT INTO price (sku, version) VALUES ($1, $2) ON CONFLICT (sku) DO UPDATE SET version = $2`;

/** Fails the first time for some changes, as a call to another service does now and then. */
export const FAIL_ONCE =
  'INSERT INTO failure (sku, version) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1';

export const GROUP = 'lab.follow-prices';
