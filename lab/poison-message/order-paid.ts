import { z } from 'zod';
import { defineEvent, type EventOf } from '#messaging';

/** The n-th message of a buyer. */
export const orderPaid = (topic: string) =>
  defineEvent({
    type: 'lab.order-paid.v1',
    topic,
    key: event => event.buyerId,
    schema: z.object({ buyerId: z.string(), n: z.int() }),
  });
export type OrderPaid = EventOf<ReturnType<typeof orderPaid>>;

export const SCHEMA = `
CREATE TABLE thanked (id bigint GENERATED ALWAYS AS IDENTITY, buyer_id text NOT NULL, n int NOT NULL);
CREATE TABLE attempt (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE repaired (at timestamptz NOT NULL)`;

export const THANK = 'INSERT INTO thanked (buyer_id, n) VALUES ($1, $2)';

export const GROUP = 'lab.thank-buyers';
/** Whose first message makes every handler fail, until somebody repairs what is wrong. */
export const POISONED = 'buyer-0';
