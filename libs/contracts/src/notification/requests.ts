import { z } from 'zod';
import { defineRequest } from '#messaging/message';
import { BuyerId, Instant } from '../values.js';

export const ListNotices = defineRequest({
  type: 'notification.list.v1',
  schema: z.object({ buyerId: BuyerId, limit: z.int().min(1).max(200) }),
  reply: z.object({
    notices: z.array(
      z.object({ orderId: z.uuid(), kind: z.string(), channel: z.string(), text: z.string(), at: Instant }),
    ),
  }),
});
