import { z } from 'zod';
import { defineRequest } from '#messaging/message';
import { BuyerId, Instant } from '../values.js';

export const GetPoints = defineRequest({
  type: 'points.get.v1',
  schema: z.object({ buyerId: BuyerId }),
  reply: z.object({
    balance: z.int(),
    entries: z.array(
      z.object({ orderId: z.uuid(), kind: z.enum(['award', 'reversal']), points: z.int(), at: Instant }),
    ),
  }),
});
