import { z } from 'zod';
import { defineEvent, type EventOf } from '#messaging';

/** One point for each paid order. */
export const orderPaid = (topic: string) =>
  defineEvent({
    type: 'lab.order-paid.v1',
    topic,
    key: event => event.buyerId,
    schema: z.object({ orderId: z.uuid(), buyerId: z.string() }),
  });
export type OrderPaid = EventOf<ReturnType<typeof orderPaid>>;

/** A point without a unique key: nothing but the code keeps it from being awarded twice. */
export const SCHEMA = 'CREATE TABLE point (order_id uuid NOT NULL, buyer_id text NOT NULL)';
export const AWARD = 'INSERT INTO point (order_id, buyer_id) VALUES ($1, $2)';

/** The subscription of both arms. */
export const GROUP = 'lab.award-points';
