import { z } from 'zod';
import { defineRequest } from '#messaging/message';
import { BuyerId, Id, Instant, Text } from '../values.js';

export const ListNotices = defineRequest({
  type: 'notification.list.v1',
  schema: z.object({ buyerId: BuyerId, limit: z.int().min(1).max(200) }),
  reply: z.object({
    notices: z.array(z.object({ orderId: Id, kind: Text, channel: Text, text: Text, at: Instant })),
  }),
});
