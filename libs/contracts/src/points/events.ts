import { z } from 'zod';
import { defineEvent, type EventOf } from '#messaging/message';
import { BuyerId, Id } from '../values.js';

export const PointsAwarded = defineEvent({
  type: 'points.awarded.v1',
  topic: 'points',
  key: event => event.buyerId,
  schema: z.object({ buyerId: BuyerId, orderId: Id, points: z.int().nonnegative() }),
});
export type PointsAwarded = EventOf<typeof PointsAwarded>;
