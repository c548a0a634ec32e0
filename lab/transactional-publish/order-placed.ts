import { z } from 'zod';
import { defineEvent, type EventOf } from '#messaging';
import { told } from '../frame/inside.js';

export const OrderPlaced = defineEvent({
  type: 'lab.order-placed.v1',
  topic: told('LAB_TOPIC'),
  key: event => event.orderId,
  schema: z.object({ orderId: z.uuid() }),
});
export type OrderPlaced = EventOf<typeof OrderPlaced>;

export const INSERT_ORDER = 'INSERT INTO placed (order_id) VALUES ($1)';
