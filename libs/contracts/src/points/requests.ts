import { z } from 'zod';
import { defineRequest } from '#messaging/message';
import { BuyerId, Id, Instant, Sum } from '../values.js';

export const GetPoints = defineRequest({
  type: 'points.get.v1',
  schema: z.object({ buyerId: BuyerId }),
  reply: z.object({
    balance: Sum,
    entries: z.array(
      z.object({ orderId: Id, kind: z.enum(['award', 'reversal']), points: z.int(), at: Instant }),
    ),
  }),
});
